"""In a guest: ``gprov erase run`` on the disks STAYS and PULLED; PULLED is removed in the middle. Prints what became of
it. Run by ``test_pulled_disk_in_vm.py``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

COMMAND = (sys.executable, "-m", "gprov.apps.host.cli.main", "erase", "run")
MARK = "GUEST-REPORT "
REPORT = Path("/tmp/report.json")
DEADLINE = 120.0
UNDER_WAY_SECTORS = 8 << 11


def disk_with(serial: str) -> str:
    """Name of the disk with this serial number, from the unit serial number page of its VPD."""
    for device in Path("/sys/block").glob("sd*"):
        if (device / "device/vpd_pg80").read_bytes()[4:].decode().strip() == serial:
            return device.name
    raise LookupError(serial)


def sectors_written(name: str) -> int:
    """Field 7 of the kernel's statistics of a block device."""
    return int(Path(f"/sys/block/{name}/stat").read_text().split()[6])


def main() -> None:
    stays, pulled = disk_with("STAYS"), disk_with("PULLED")
    words = [word for name in (stays, pulled) for word in ("--disk", f"/dev/{name}")]
    words += ["--yes-erase", "STAYS", "--yes-erase", "PULLED", "--report", str(REPORT)]
    end = time.monotonic() + DEADLINE
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while sectors_written(pulled) < UNDER_WAY_SECTORS and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        Path(f"/sys/block/{pulled}/device/delete").write_text("1")
        said, _ = process.communicate()
    facts = {"status": process.returncode, "said": said, "report": json.loads(REPORT.read_text())}
    print(f"\n{MARK}{json.dumps(facts)}", flush=True)


if __name__ == "__main__":
    main()
