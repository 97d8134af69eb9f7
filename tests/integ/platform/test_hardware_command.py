"""``gprov hardware`` on this machine; the kernel's own files and other tools say what it has."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.main import main

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def entry(capsys: Shown) -> dict[str, Any]:
    assert main(["hardware", "dump", "--code-name", "HERE"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_dumped_is_what_this_machine_has(entry: dict[str, Any]) -> None:
    assert entry["CPUInfo"]["Cores"] == os.cpu_count()
    total = re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())
    assert total is not None
    assert entry["RamMegs"] == round(int(total[1]) / 1024)
    shown = SystemProcesses().run(("lspci", "-n")).output.decode().splitlines()
    seen = sorted(line.split()[2] for line in shown)
    devices = entry["Devices"]["PCI"]
    assert sorted(f"{one['Vendor'][2:]}:{one['Device'][2:]}" for one in devices for _ in range(one["Quantity"])) == seen
    disks = SystemProcesses().run(("lsblk", "--json", "--bytes", "--nodeps", "--output", "NAME,SIZE")).output
    sizes = {row["size"] for row in json.loads(disks)["blockdevices"]}
    assert {disk["Size"] for row in entry["MainDiskConfigs"] for disk in row} <= sizes


def test_it_fits_this_machine_and_a_change_does_not(entry: dict[str, Any], tmp_path: Path, capsys: Shown) -> None:
    """RECOVERY cannot be told from the only disk of a machine."""
    only = {} if "Recovery" in entry else {"Recovery": {"Size": 1 << 60}}
    file = tmp_path / "manufData.json"

    def compared(**changes: object) -> tuple[int, list[str]]:
        file.write_text(json.dumps({"ValidationData": [{**entry, **only, **changes}]}))
        status = main(["hardware", "compare", "--manuf", str(file), "--code-name", "HERE", "--json"])
        return status, [row["place"] for row in json.loads(capsys.readouterr().out)["differences"]]

    assert compared() == (int(bool(only)), list(only))
    status, places = compared(TotalNics=entry["TotalNics"] + 1, RamMegs=entry["RamMegs"] * 2)
    assert (status, places) == (1, ["RamMegs", *only, "TotalNics"])
    status, places = compared(Devices={"Exact": True, "PCI": []})
    assert (status, places) == (1, [*only, *(["Devices.PCI"] if entry["Devices"]["PCI"] else [])])
