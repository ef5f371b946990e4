#!/usr/bin/env python3
"""The systemd units: systemd takes them, their exposure is low, and they give otpd the time that
its configuration wants for an orderly end. OTPD_BUILD_DIR says where otpd is (build/release)."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("OTPD_BUILD_DIR", ROOT / "build" / "release")).resolve()
UNITS = ROOT / "deploy" / "systemd"
NAMES = ("otpd.service", "otpd@api.service", "otpd@worker.service", "otpd@audit.service")
WORST_EXPOSURE = 1.3  # of 10; systemd calls up to 2 "OK"
OWN_LINES = re.compile(r"^(#.*|Description=.*|Documentation=.*|EnvironmentFile=-/etc/otpd/%i\.env|"
                       r"ExecStart=.*|)$")


def analyze(root, *words):
    return subprocess.run(["systemd-analyze", f"--root={root}", *words], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})


def default_ms(key):
    """The default of a key that ends with _ms."""
    said = subprocess.run([BUILD / "otpd", "config", "default"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return int(re.search(rf"^{key} = (\d+)$", said, re.M).group(1))


class UnitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="otpd-units-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name)
        units = cls.root / "lib/systemd/system"
        units.mkdir(parents=True)
        for unit in [*UNITS.glob("*.service"), *Path("/lib/systemd/system").glob("*.target")]:
            shutil.copy(unit, units)
        program = cls.root / "usr/bin/otpd"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)

    def test_systemd_takes_them_without_a_word(self):
        for name in NAMES:
            said = analyze(self.root, "verify", "--man=no", name)
            self.assertEqual((said.returncode, said.stdout), (0, ""), name)

    def test_a_mistake_would_be_noticed(self):
        broken = self.root / "lib/systemd/system/broken.service"
        broken.write_text((UNITS / "otpd.service").read_text()
                          .replace("ProtectSystem=strict", "ProtectSystem=strictly"))
        self.addCleanup(broken.unlink)
        self.assertIn("strictly", analyze(self.root, "verify", "--man=no", broken.name).stdout)

    def test_the_exposure_is_low(self):
        for name in NAMES:
            said = analyze(self.root, "security", "--offline=true", "--no-pager", name).stdout
            level = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
            self.assertIsNotNone(level, said)
            print(f"{name}: exposure {level.group(1)} of 10")
            self.assertLessEqual(float(level.group(1)), WORST_EXPOSURE, said)

    def test_the_roles_are_as_narrow_as_the_whole(self):
        one, role = [[line for line in (UNITS / name).read_text().splitlines()
                      if not OWN_LINES.match(line)] for name in ("otpd.service", "otpd@.service")]
        self.assertEqual(one, role)

    def test_it_has_time_to_end_in_order(self):
        needed_s = (default_ms("drain_timeout_ms") + default_ms("provider_timeout_ms")) / 1000
        for unit in UNITS.glob("*.service"):
            limit = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.M)
            self.assertGreater(int(limit.group(1)), needed_s + 10, unit.name)


if __name__ == "__main__":
    unittest.main()
