#!/usr/bin/env python3
"""A cluster on the stores as deploy/ sets them up: Redis with deploy/redis, PostgreSQL with
deploy/postgres, otpd in its three roles with deploy/compose/cluster.toml. The rights that they give
are enough for everything that otpd does, and for no more. OTPD_BUILD_DIR says where otpd is
(build/release)."""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("OTPD_BUILD_DIR", ROOT / "build" / "release")).resolve()
DEPLOY = ROOT / "deploy"
POSTGRES = Path("/usr/lib/postgresql/15/bin")
NOBODY = 65534
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("OTPD")}
DIE_WITH_ME = 1  # PR_SET_PDEATHSIG


def free_port(highest=65535):
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            if probe.getsockname()[1] <= highest:
                return probe.getsockname()[1]


def eventually(what, probe, limit_s=30):
    end = time.monotonic() + limit_s
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(0.05)


def ask(url, body=None, key=None):
    """(status, answer) of a request; (0, None) if nobody is there."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as said:
            return said.status, json.loads(said.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")
    except OSError:
        return 0, None


class House:
    """Every program of the cluster, in a temporary folder; whatever ends this test ends them."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="otpd-stores-"))
        self.folder.chmod(0o755)
        self.running = []
        self.passwords = self.secrets()

    def secrets(self):
        said = subprocess.run([DEPLOY / "compose/make-secrets"], check=True, text=True,
                              env=CLEAN | {"OTPD": str(BUILD / "otpd")}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        self.api_key = re.search(r"otpk_\S+", said.stderr).group(0)
        return dict(re.findall(r"^(\w+)='?(.*?)'?$", said.stdout, re.M))

    def start(self, name, command, user=None, **environment):
        libc = ctypes.CDLL(None)
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                [str(word) for word in command], cwd=self.folder, env=CLEAN | environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, group=user,
                extra_groups=[] if user else None,
                preexec_fn=lambda: libc.prctl(DIE_WITH_ME, signal.SIGKILL))
        self.running.append(process)
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def end(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGINT)
        for process in self.running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)

    # Redis: a master with all slots and its replica, with the files of deploy/redis.

    def start_redis(self):
        acl = (DEPLOY / "redis/users.acl").read_text()
        for word, name in (("OTPD", "OTPD_REDIS_PASSWORD"), ("REPLICA", "REDIS_REPLICA_PASSWORD"),
                           ("ADMIN", "REDIS_ADMIN_PASSWORD")):
            acl = acl.replace(f"PASSWORD_OF_{word}", self.passwords[name])
        self.redis_ports = [free_port(55535), free_port(55535)]  # the cluster's bus is 10,000 above
        for port in self.redis_ports:
            folder = self.folder / f"redis-{port}"
            folder.mkdir()
            (folder / "users.acl").write_text(acl)
            (folder / "node.conf").write_text(
                f"include {DEPLOY}/redis/redis.conf\naclfile {folder}/users.acl\ndir {folder}\n"
                f"masterauth {self.passwords['REDIS_REPLICA_PASSWORD']}\nport {port}\n"
                "bind 127.0.0.1\nrepl-diskless-sync-delay 0\n")
            self.start(f"redis-{port}", ["redis-server", folder / "node.conf"])
            eventually("Redis answers", lambda: self.redis("ping", port=port) == "PONG")
        master, replica = self.redis_ports
        self.redis("cluster", "addslotsrange", "0", "16383")
        self.redis("cluster", "meet", "127.0.0.1", str(replica), port=master)
        name = self.redis("cluster", "myid")
        eventually("the replica follows", lambda: self.redis("cluster", "replicate", name,
                                                             port=replica) == "OK")
        eventually("the replica is in step",
                   lambda: "min_slaves_good_slaves:1" in self.redis("info", "replication")
                   and "cluster_state:ok" in self.redis("cluster", "info"))

    def redis(self, *words, user="admin", port=None):
        """What Redis says to a command, mistakes included."""
        name = {"admin": "REDIS_ADMIN_PASSWORD", "otpd": "OTPD_REDIS_PASSWORD"}[user]
        said = subprocess.run(
            ["redis-cli", "-p", str(port or self.redis_ports[0]), "--user", user, *words],
            env=CLEAN | {"REDISCLI_AUTH": self.passwords[name]}, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return said.stdout.strip()

    # PostgreSQL, with the roles of deploy/postgres. It refuses to run as root.

    def start_postgres(self):
        self.postgres_port = free_port()
        folder = self.folder / "postgres"
        folder.mkdir()
        user = None
        if os.getuid() == 0:
            user = NOBODY
            os.chown(folder, NOBODY, NOBODY)
        password = folder / "superuser"
        password.write_text(self.passwords["POSTGRES_PASSWORD"])
        subprocess.run([POSTGRES / "initdb", "-D", folder / "data", "-U", "postgres", "-A",
                        "scram-sha-256", f"--pwfile={password}", "--no-sync"], check=True,
                       stdout=subprocess.DEVNULL, cwd=folder, user=user, group=user,
                       extra_groups=[] if user else None)
        self.start("postgres", [POSTGRES / "postgres", "-D", folder / "data", "-p",
                                self.postgres_port, "-c", "listen_addresses=127.0.0.1", "-c",
                                "unix_socket_directories="], user)
        eventually("PostgreSQL answers", lambda: self.sql("SELECT 1", "postgres",
                                                          database="postgres") == "1")
        self.psql(["-f", DEPLOY / "postgres/roles.sql"], "postgres", "postgres", check=True)

    def psql(self, words, user, database, check=False):
        name = {"postgres": "POSTGRES_PASSWORD", "otpd": "OTPD_DATABASE_PASSWORD",
                "otpd_reader": "OTPD_READER_PASSWORD"}[user]
        names = ("OTPD_DATABASE_PASSWORD", "OTPD_READER_PASSWORD")
        return subprocess.run(
            ["psql", "-qAt", "-h", "127.0.0.1", "-p", str(self.postgres_port), "-U", user, "-d",
             database, *words], text=True, check=check, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=CLEAN | {"PGPASSWORD": self.passwords[name]}
            | {each: self.passwords[each] for each in names})

    def sql(self, statement, user, database="otpd"):
        """What PostgreSQL says to a statement, mistakes included."""
        return self.psql(["-c", statement], user, database).stdout.strip()

    # otpd and the simulated carriers.

    def start_sim(self):
        self.start("sim", [BUILD / "sms-sim", "--listen", "127.0.0.1:0", "--no-smtp", "--no-smpp"])
        self.sim = eventually("sms-sim listens", lambda: re.search(r"(http://\S+)",
                                                                   self.log("sim"))).group(1)

    def start_otpd(self, role):
        port = free_port()
        nodes = ",".join(f"127.0.0.1:{each}" for each in self.redis_ports)
        database = f"127.0.0.1:{self.postgres_port}/otpd"
        self.start(role, [BUILD / "otpd", "--config", DEPLOY / "compose/cluster.toml",
                          "--role", role],
                   OTPD_SERVER_LISTEN=f"127.0.0.1:{port}", OTPD_DATA_DIR=str(self.folder / role),
                   OTPD_REDIS_NODES=nodes, OTPD_CLUSTER_DURABILITY="strict",
                   OTPD_REDIS_PASSWORD=self.passwords["OTPD_REDIS_PASSWORD"],
                   OTPD_POSTGRES_URL=f"postgresql://otpd:{self.passwords['OTPD_DATABASE_PASSWORD']}"
                                     f"@{database}",
                   OTPD_CRYPTO_KEYS=self.passwords["OTPD_CRYPTO_KEYS"],
                   OTPD_AUTH_API_KEYS=self.passwords["OTPD_AUTH_API_KEYS"],
                   OTPD_PROVIDERS_TWILIO_BASE_URL=self.sim, OTPD_CRYPTO_HASH="hmac")
        url = f"http://127.0.0.1:{port}"
        eventually(f"otpd {role} is ready",
                   lambda: ask(f"{url}/readyz")[0] == 200 or self.ended(role))
        return url

    def ended(self, role):
        if self.running[-1].poll() is not None:
            raise AssertionError(f"otpd {role} ended:\n{self.log(role)}")
        return False


class StoresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.end)
        cls.house.start_redis()
        cls.house.start_postgres()
        cls.house.start_sim()
        cls.urls = {role: cls.house.start_otpd(role) for role in ("audit", "worker", "api")}

    def test_everything_works_and_nothing_is_refused(self):
        house, api = self.house, self.urls["api"]
        phone = "+14155552671"
        status, sent = ask(f"{api}/otp/send", {"phone": phone}, house.api_key)
        self.assertEqual(status, 202, sent)
        inbox = eventually("the message arrives",
                           lambda: ask(f"{house.sim}/inbox.json?to=%2B{phone[1:]}")[1])
        code = re.search(r"\d{6}", inbox[0]["text"]).group(0)
        guess = {"phone": phone, "code": code}
        status, first = ask(f"{api}/otp/verify", guess, house.api_key)
        self.assertEqual(status, 200, first)
        # The same caller again, as a form that was submitted twice: the same session.
        self.assertEqual(ask(f"{api}/otp/verify", guess, house.api_key), (200, first))

        # Both are in PostgreSQL, and who may look sees them.
        wanted = {"send", "verify_success", "session_opened"}
        eventually("the audit log is complete", lambda: wanted <= set(house.sql(
            "SELECT event_type FROM otp_events", "otpd_reader").split()))
        self.assertEqual(house.sql("SELECT count(*) FROM otp_consumed", "otpd_reader"), "1")
        self.admin_reads(api)
        # Redis writes down every command and key that it refuses.
        self.assertEqual(house.redis("acl", "log"), "")

    def admin_reads(self, api):
        token = (self.house.folder / "api/admin.token").read_text().strip()
        for path in ("/admin/queue", "/admin/dead-letters", "/admin/providers", "/admin/events"):
            self.assertEqual(ask(api + path, key=token)[0], 200, path)
        for verb in ("disable", "enable"):
            status, said = ask(f"{api}/admin/providers/twilio/{verb}", {}, token)
            self.assertLess(status, 300, said)

    def test_redis_lets_otpd_do_no_more(self):
        for words in (("flushall",), ("keys", "*"), ("config", "get", "*"), ("acl", "list"),
                      ("shutdown",), ("cluster", "failover"),
                      ("migrate", "127.0.0.1", "1", "otpd:x", "0", "1"), ("monitor",),
                      ("get", "another:x"), ("set", "another:x", "1"),
                      ("ssubscribe", "another"), ("script", "flush"), ("client", "kill", "x:1")):
            self.assertIn("NOPERM", self.house.redis(*words, user="otpd"), words)
        self.house.redis("acl", "log", "reset")

    def test_redis_lets_otpd_do_what_its_sources_do(self):
        sources = "".join(path.read_text() for folder in ("storage/redis", "net")
                          for path in (ROOT / "src" / folder).glob("*.cc")
                          if not path.name.endswith("_test.cc"))
        used = set(re.findall(r"call\('([A-Z]+)'", sources))
        used |= set(re.findall(r'words = \{"([A-Z]+)"', sources))
        self.assertGreater(len(used), 15)
        allowed = self.house.redis("acl", "list")
        allowed = next(line for line in allowed.splitlines() if line.startswith("user otpd "))
        for command in used:
            self.assertRegex(allowed, rf"\+{command.lower()}(\||\s|$)", command)

    def test_nobody_is_let_in_without_a_password(self):
        said = subprocess.run(["redis-cli", "-p", str(self.house.redis_ports[0]), "ping"],
                              text=True, check=False, stdout=subprocess.PIPE)
        self.assertIn("NOAUTH", said.stdout)
        self.house.redis("acl", "log", "reset")
        self.assertIn("link_status:up", self.house.redis("info", "replication",
                                                         port=self.house.redis_ports[1]))

    def test_postgres_lets_otpd_do_no_more(self):
        for statement in ("CREATE TABLE public.x ()", "CREATE DATABASE x", "CREATE ROLE x",
                          "CREATE SCHEMA x", "CREATE EXTENSION dblink",
                          "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('PG_VERSION')",
                          "ALTER SYSTEM SET fsync = off"):
            self.assertRegex(self.house.sql(statement, "otpd"), "(?i)permission denied|must be",
                             statement)

    def test_postgres_lets_the_reader_only_look(self):
        house = self.house
        self.assertRegex(house.sql("SELECT count(*) FROM otp_events", "otpd_reader"), r"^\d+$")
        for statement in ("DELETE FROM otp_events", "INSERT INTO otp_consumed VALUES ('x', 0)",
                          "DROP TABLE otp_events", "CREATE TABLE x ()"):
            self.assertIn("read-only", house.sql(statement, "otpd_reader"))
            said = house.psql(["-c", "SET default_transaction_read_only = off", "-c", statement],
                              "otpd_reader", "otpd").stdout
            self.assertRegex(said, "permission denied|must be owner", statement)


if __name__ == "__main__":
    unittest.main()
