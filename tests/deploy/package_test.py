#!/usr/bin/env python3
"""Builds the Debian packages from the release build and installs them into a clean root: the
service starts there and serves, an upgrade keeps what the administrator and the users did, and
nothing is left after a purge. OTPD_BUILD_DIR says where the build is (build/release)."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import clean_root  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("OTPD_BUILD_DIR", ROOT / "build" / "release")).resolve()
CONFIG = "etc/otpd/otpd.toml"
FAKE_SYSTEMCTL = '#!/bin/sh\necho "$@" >> /run/systemctl.log\n'


def output_of(*words, **how):
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE, **how).stdout


def build_packages(folder):
    """The packages by name, built into `folder`."""
    try:
        output_of("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder,
                  stderr=subprocess.STDOUT, cwd=folder)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(error.stdout) from error
    return {output_of("dpkg-deb", "-f", deb, "Package").strip(): deb
            for deb in Path(folder).glob("*.deb")}


def repacked(deb, folder, version, change):
    """The package again with another version, its files changed by `change(folder)`."""
    unpacked = Path(folder) / f"unpacked-{version}"
    subprocess.run(["dpkg-deb", "-R", deb, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*", f"Version: {version}", control.read_text(),
                              flags=re.M))
    change(unpacked)
    out = Path(folder) / f"otpd-{version}.deb"
    output_of("dpkg-deb", "--root-owner-group", "-Znone", "-b", unpacked, out)
    return out


def ask(url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read().decode()


class Service:
    """A program of the package, run in the root until its line that says where it listens."""

    def __init__(self, root, command, ready, user=None, **environment):
        self.lines = []
        base = root.environment(**environment)
        for name in clean_root.FAKEROOT_VARIABLES:
            base.pop(name, None)
        self.process = subprocess.Popen(root.command(*command, user=user), env=base, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(ready, line):
                self.url = found.group(1)
                return
        raise AssertionError(f"{command[0]} ended:\n{''.join(self.lines)}")

    def stop(self):
        """Its exit status, after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=30)
        self.lines.append(rest)
        return self.process.returncode


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        here = clean_root.folder()
        (here / "debs").mkdir()
        cls.debs = build_packages(here / "debs")
        depends = ",".join(output_of("dpkg-deb", "-f", deb, "Depends")
                           for deb in cls.debs.values())
        cls.root = clean_root.CleanRoot(here / "root", depends)
        cls.before = cls.root.everything()

    def setUp(self):
        self.services = []
        self.addCleanup(self.purge)
        self.addCleanup(self.stop_all)

    def purge(self):
        self.root.run("dpkg", "--purge", "otpd", "otpd-sim")

    def stop_all(self):
        for service in self.services:
            if service.process.poll() is None:
                service.process.kill()
            service.process.communicate()

    def install(self, *debs, force=()):
        for deb in debs:
            (self.root.path / "tmp" / deb.name).write_bytes(deb.read_bytes())
        self.root.run("dpkg", "--force-unsafe-io", *force, "-i", *[f"/tmp/{deb.name}" for deb in debs])

    def read(self, path):
        return (self.root.path / path).read_text()

    def mode(self, path):
        """(octal mode, owner, group) of a path in the root."""
        state = os.lstat(self.root.path / path)
        names = {}
        for table in ("passwd", "group"):
            names[table] = {int(line.split(":")[2]): line.split(":")[0]
                            for line in self.read(f"etc/{table}").splitlines()}
        return (oct(state.st_mode & 0o7777), names["passwd"][state.st_uid],
                names["group"][state.st_gid])

    def start_sim(self):
        sim = Service(self.root, ["/usr/bin/sms-sim", "--listen", "127.0.0.1:0", "--no-smtp",
                                  "--no-smpp"], r"listening on (http://\S+)")
        self.services.append(sim)
        return sim

    def start_otpd(self, sim):
        """As the unit of the package does, but for the free port, which the installed
        configuration asks for, and the simulator's address."""
        unit = self.read("lib/systemd/system/otpd.service")
        user = re.search(r"^User=(.*)$", unit, re.M).group(1)
        command = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.M).group(1))
        otpd = Service(self.root, command, r'"otpd is ready".*"url":"([^"]+)"', user=user,
                       OTPD_PROVIDERS_TWILIO_BASE_URL=sim.url)
        self.services.append(otpd)
        return otpd

    def edit_config(self):
        edited = re.sub(r'^listen = .*$', 'listen = "127.0.0.1:0"  # mine', self.read(CONFIG),
                        flags=re.M)
        self.assertIn("# mine", edited)
        (self.root.path / CONFIG).write_text(edited)
        return edited

    def code_for(self, sim, phone):
        for _ in range(100):
            inbox = json.loads(ask(f"{sim.url}/inbox.json?to=%2B{phone[1:]}")[1])
            if inbox:
                return re.search(r"\b\d{6}\b", inbox[0]["text"]).group(0)
            time.sleep(0.05)
        raise AssertionError("no message arrived")

    def test_holds_what_it_should_and_no_more(self):
        allowed = re.compile(r"\./(etc/otpd/otpd\.toml|usr/bin/(otpd|sms-sim)|"
                             r"lib/systemd/system/otpd@?\.service|"
                             r"usr/share/(doc/otpd(-sim)?/.+|man/man\d/[\w.-]+\.gz|"
                             r"lintian/overrides/otpd))$")
        for name, deb in self.debs.items():
            files = 0
            for line in output_of("dpkg-deb", "-c", deb).splitlines():
                mode, owner, path = line.split()[0], line.split()[1], line.split()[5]
                self.assertEqual(owner, "root/root", line)
                if mode.startswith("d"):
                    self.assertEqual(mode, "drwxr-xr-x", line)
                    continue
                files += 1
                program = path.startswith("./usr/bin/")
                self.assertEqual(mode, "-rwxr-xr-x" if program else "-rw-r--r--", line)
                self.assertRegex(path, allowed)
            self.assertGreater(files, 4, name)

    def test_installs_a_service_that_starts_nothing_by_itself(self):
        (self.root.path / "run/systemd/system").mkdir(parents=True)
        systemctl = self.root.path / "usr/bin/systemctl"
        systemctl.write_text(FAKE_SYSTEMCTL)
        systemctl.chmod(0o755)
        log = self.root.path / "run/systemctl.log"
        try:
            self.install(self.debs["otpd"])
            self.assertEqual(log.read_text(), "daemon-reload\n")
            log.unlink()
            self.install(self.debs["otpd"])
            self.assertEqual(log.read_text(),
                             "daemon-reload\ntry-restart otpd.service otpd@*.service\n")
            log.unlink()
            self.root.run("dpkg", "--remove", "otpd")
            self.assertIn("stop otpd.service otpd@*.service\n", log.read_text())
        finally:
            systemctl.unlink()
            log.unlink(missing_ok=True)
            (self.root.path / "run/systemd/system").rmdir()
            (self.root.path / "run/systemd").rmdir()

    def test_narrows_what_may_hold_a_secret(self):
        self.install(self.debs["otpd"])
        self.assertEqual(self.mode("etc/otpd"), ("0o750", "root", "otpd"))
        self.assertEqual(self.mode(CONFIG), ("0o640", "root", "otpd"))
        self.assertEqual(self.mode("var/lib/otpd"), ("0o700", "otpd", "otpd"))
        entry = next(line for line in self.read("etc/passwd").splitlines()
                     if line.startswith("otpd:"))
        self.assertRegex(entry, r"^otpd:x:\d+:\d+:[^:]*:/var/lib/otpd:/usr/sbin/nologin$")
        new = {path for path in self.root.everything() if path not in self.before}
        for path in new:
            state = os.lstat(self.root.path / path)
            self.assertFalse(state.st_mode & 0o6002 and not os.path.islink(self.root.path / path),
                             f"{path} is writable for everybody, or changes the user")

    def test_serves_is_upgraded_removed_and_purged(self):
        self.install(*self.debs.values())
        edited = self.edit_config()
        sim = self.start_sim()

        otpd = self.start_otpd(sim)
        self.assertEqual(ask(f"{otpd.url}/readyz")[0], 200)
        status, answer = ask(f"{otpd.url}/otp/send", {"phone": "+14155552671"})
        self.assertEqual(status, 202, answer)
        code = self.code_for(sim, "+14155552671")
        self.assertEqual(otpd.stop(), 0, "".join(otpd.lines))

        self.install(self.debs["otpd"])
        self.assertEqual(self.read(CONFIG), edited)
        newer = repacked(self.debs["otpd"], clean_root.folder(), "99.0", self.change_config)
        self.install(newer, force=["--force-confdef", "--force-confold"])
        self.assertEqual(self.read(CONFIG), edited)
        self.assertEqual(self.mode(CONFIG), ("0o640", "root", "otpd"))

        otpd = self.start_otpd(sim)
        status, answer = ask(f"{otpd.url}/otp/verify", {"phone": "+14155552671", "code": code})
        self.assertEqual(status, 200, answer)
        self.assertEqual(otpd.stop(), 0, "".join(otpd.lines))
        self.assertEqual(sim.stop(), 0, "".join(sim.lines))

        self.root.run("dpkg", "--remove", "otpd", "otpd-sim")
        self.assertFalse((self.root.path / "usr/bin/otpd").exists())
        self.assertEqual(self.read(CONFIG), edited)
        self.assertTrue((self.root.path / "var/lib/otpd/otpd.db").exists())
        self.assertTrue((self.root.path / "var/lib/otpd/keys.json").exists())

        self.purge()
        self.nothing_is_left()

    @staticmethod
    def change_config(unpacked):
        with open(unpacked / CONFIG, "a", encoding="utf-8") as config:
            config.write("\n# A newer version says more.\n")

    def nothing_is_left(self):
        after = self.root.everything()
        changed = {path for path in after.keys() | self.before.keys()
                   if after.get(path) != self.before.get(path)}
        # The backups and locks that the tools for accounts make at their first use.
        ours = re.compile(r"etc/((passwd|group|g?shadow|sub[ug]id)-|\.pwd\.lock|ld\.so\.cache)")
        self.assertEqual([path for path in changed if not ours.fullmatch(path)], [])
        for name in ("passwd", "group", "shadow"):
            self.assertNotIn("otpd", self.read(f"etc/{name}"))
        self.assertNotIn("otpd", self.root.run("dpkg-query", "-W"))


if __name__ == "__main__":
    clean_root.enter()
    unittest.main()
