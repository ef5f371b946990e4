"""A root folder in which a Debian package can be installed as on a fresh machine.

It holds the essential packages of the running system and what is asked for beside them, with all
that these depend on, copied from their installed files; nothing else, so that a dependency that a
package does not declare is missing. No network is needed.

Everything happens inside a mount namespace: `enter()` starts the program again in one. Whoever is
not root becomes root in a user namespace, under fakeroot, so that maintainer scripts may change
owners.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DPKG = Path("/var/lib/dpkg")
LEFT_OUT = re.compile(r"/usr/share/(doc|man|info|locale|i18n|zoneinfo|icons|bash-completion)/.")
INSIDE = "OTPD_TEST_INSIDE"
FOLDER = "OTPD_TEST_FOLDER"
FAKEROOT = ("fakeroot", "libfakeroot")
FAKEROOT_VARIABLES = ("LD_PRELOAD", "LD_LIBRARY_PATH", "FAKEROOTKEY", "FAKEROOTDONTTRYCHOWN")


def enter():
    """Runs this program again inside a mount namespace in which it may act as root, and ends with
    its status. Inside, returns at once; FOLDER is there for the program's files, and is removed
    when the namespace, with all that was mounted, is gone."""
    if INSIDE in os.environ:
        return
    unshare = ["unshare", "--mount", "--propagation", "private", "--kill-child"]
    if os.getuid() != 0:
        unshare += ["--map-root-user", "fakeroot"]
    with tempfile.TemporaryDirectory(prefix="otpd-root-") as folder:
        os.chmod(folder, 0o755)
        inside = {INSIDE: "root" if os.getuid() == 0 else "fakeroot", FOLDER: folder,
                  "FAKEROOTDONTTRYCHOWN": "1"}  # in a user namespace it fails in another way
        ran = subprocess.run([*unshare, sys.executable, *sys.argv], env=os.environ | inside,
                             check=False)
    sys.exit(ran.returncode)


def folder():
    return Path(os.environ[FOLDER])


def truly_root():
    """Whether owners are real, so that a program can run as another user."""
    return os.environ[INSIDE] == "root"


def readable(path):
    return os.path.islink(path) or os.access(path, os.R_OK)


class Packages:
    """The installed packages of the running system."""

    def __init__(self):
        self.stanzas = {}
        self.providers = {}
        for stanza in (DPKG / "status").read_text().split("\n\n"):
            field = dict(re.findall(r"^([\w-]+): *(.*(?:\n[ \t].*)*)", stanza, re.M))
            name = field.get("Package")
            if not name or field["Status"] != "install ok installed" or name in self.stanzas:
                continue
            self.stanzas[name] = (stanza, field)
            for provided in field.get("Provides", "").split(","):
                self.providers.setdefault(provided.split("(")[0].strip(), name)

    def essential(self):
        return [name for name, (_, field) in self.stanzas.items()
                if field.get("Essential") == "yes"]

    def installed_one(self, alternatives):
        """The first of "a (>= 1) | b" that is installed, or None."""
        for one in alternatives.split("|"):
            name = re.split(r"[\s(:]", one.strip())[0]
            if name in self.stanzas:
                return name
            if name in self.providers:
                return self.providers[name]
        return None

    def closure(self, wanted):
        """`wanted` and all that they depend on."""
        found, open_ones = set(), list(wanted)
        while open_ones:
            name = open_ones.pop()
            if name in found or name is None:
                continue
            found.add(name)
            field = self.stanzas[name][1]
            for relation in ("Pre-Depends", "Depends"):
                open_ones += [self.installed_one(each) for each in
                              field.get(relation, "").split(",") if each.strip()]
        return found

    def files(self, name):
        """The paths that the package installed, and its part of dpkg's database."""
        architecture = self.stanzas[name][1]["Architecture"]
        info = [path for stem in (name, f"{name}:{architecture}")
                for path in (DPKG / "info").glob(f"{stem}.*")]
        listed = next(path for path in info if path.suffix == ".list").read_text().split("\n")
        wanted = [path for path in listed if path not in ("", "/.") and not LEFT_OUT.match(path)]
        return wanted + [str(path) for path in info]


class CleanRoot:
    """The root in `path`, which must not exist; with what `depends` (a Depends field) needs."""

    def __init__(self, path, depends=""):
        self.path = path
        packages = Packages()
        wanted = packages.essential()
        wanted += [packages.installed_one(each) for each in depends.split(",") if each.strip()]
        wanted += FAKEROOT if not truly_root() else ()
        names = packages.closure(wanted)
        self._copy([path for name in sorted(names) for path in packages.files(name)])
        self._complete()
        (self.path / "var/lib/dpkg/status").write_text(
            "".join(packages.stanzas[name][0] + "\n\n" for name in sorted(names)))

    def _copy(self, paths):
        self.path.mkdir()
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):  # one with those of /usr
            if os.path.islink(f"/{name}"):
                (self.path / "usr" / name).mkdir(parents=True)
                (self.path / name).symlink_to(f"usr/{name}")
        there = "\0".join(path.lstrip("/") for path in paths
                          if readable(path) and not os.path.lexists(self.path / path[1:]))
        archive = subprocess.Popen(["tar", "-C", "/", "--no-recursion", "--null", "-T", "-",
                                    "-cf", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        unpack = subprocess.Popen(["tar", "-C", self.path, "--no-same-owner", "-xpf", "-"],
                                  stdin=archive.stdout)
        archive.stdout.close()
        archive.stdin.write(there.encode())
        archive.stdin.close()
        if archive.wait() != 0 or unpack.wait() != 0:
            raise RuntimeError("the files of the installed packages could not be copied")

    def _complete(self):
        """What a system has that is in no package's list of files."""
        for folder in ("tmp", "root", "dev", "proc", "etc", "run", "var/lib/dpkg/updates",
                       "var/lib/dpkg/triggers", "var/lib/dpkg/alternatives", "var/log"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(DPKG / "diversions", self.path / "var/lib/dpkg")
        (self.path / "var/lib/dpkg/statoverride").touch()
        for name in ("passwd", "group"):
            shutil.copy(self.path / f"usr/share/base-passwd/{name}.master",
                        self.path / "etc" / name)
        for kind in ("auth", "account", "password", "session"):
            (self.path / f"etc/pam.d/common-{kind}").write_text(f"{kind} required pam_permit.so\n")
        if not os.path.lexists(self.path / "bin/sh"):
            (self.path / "bin/sh").symlink_to("dash")
        for name in ("null", "zero", "random", "urandom"):  # one by one: no folder of the system
            (self.path / "dev" / name).touch()             # is in here for anybody to empty
            subprocess.run(["mount", "--bind", f"/dev/{name}", self.path / "dev" / name],
                           check=True)
        for command in ("ldconfig", "pwconv", "grpconv"):
            self.run(command)

    def command(self, *words, user=None):
        """The command line that runs `words` in here, as `user` where that is possible. It dies
        with this process."""
        become = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        return ["chroot", str(self.path), "setpriv", "--pdeathsig=KILL",
                *(become if user and truly_root() else []), *words]

    def environment(self, **more):
        keep = {name: os.environ[name] for name in FAKEROOT_VARIABLES if name in os.environ}
        return {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                "DEBIAN_FRONTEND": "noninteractive", **keep, **more}

    def run(self, *words):
        """Runs a command in here to its end; its output."""
        ran = subprocess.run(self.command(*words), env=self.environment(), text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=60, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {ran.returncode}\n{ran.stdout}")
        return ran.stdout

    def everything(self):
        """Every path in here, but for what lives shortly and dpkg's own bookkeeping."""
        skipped = ("dev", "proc", "run", "tmp", "var/lib/dpkg", "var/log", "var/cache")
        found = {}
        for folder, folders, files in os.walk(self.path):
            here = os.path.relpath(folder, self.path)
            folders[:] = [f for f in folders
                          if os.path.normpath(os.path.join(here, f)) not in skipped]
            for name in folders + files:
                path = os.path.join(folder, name)
                state = os.lstat(path)
                found[os.path.relpath(path, self.path)] = (state.st_mode, state.st_uid,
                                                           state.st_gid)
        return found
