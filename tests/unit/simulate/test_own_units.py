"""``gprov simulate lifecycle`` with an adopter's platform table and names."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.cli.main import main
from gprov.apps.host.simulation.invariants import recovery_problems, secret_problems, system_problems
from gprov.apps.host.simulation.new_worlds import world_of
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import HardwareMismatch
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_entry
from gprov.domain.platform.model import ModelField, Platform, RaidLevel, ValidateMethod
from gprov.domain.unit.nics import NicInfo

PLAIN = default_table()[0]
OURS = replace(
    PLAIN,
    code_name="BOX-2",
    manufacturer="ACME",
    product="Box 2",
    disk_size=480 << 30,
    cpu=("ACME CPU",),
    nic_info=NicInfo((0,), 1, ("LAN", "WAN")),
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    table = {"Variants": [platform_entry(replace(OURS, code_name="BOX-1", product="Box 1")), platform_entry(OURS)]}
    (tmp_path / "appliance.json").write_text(json.dumps(table))
    (tmp_path / "branding.toml").write_text('image_prefix = "ACME.BOX."\nrecovery_label = "RESCUE"\nadmin = "boss"\n')
    (tmp_path / "branding.json").write_text('{"flag_file": "a/b", "esp_label": "TWELVE BYTES", "colour": "red"}')
    return {path.name: str(path) for path in tmp_path.iterdir()}


def test_the_life_of_an_own_unit(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--platforms", files["appliance.json"], "--platform", "BOX-2", "--branding", files["branding.toml"]]
    assert main(["simulate", "lifecycle", *words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is True
    assert [(stage["name"], stage["ended"]) for stage in report["stages"]] == [
        ("provision", "reboot"),
        ("restore", "reboot"),
        ("boot", "switched root"),
    ]
    text = "\n".join(report["transcript"])
    assert "BOX-2" in text
    assert "/mnt/RESCUE/Image/ACME.BOX.2026-01-15.1.upd" in text
    assert "WIDGET" not in text


def test_every_problem_of_a_branding_is_told(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "lifecycle", "--branding", files["branding.json"]]) == 1
    shown = capsys.readouterr().err
    assert all(f"$.{name}: " in shown for name in ("flag_file", "esp_label", "colour"))


@pytest.mark.parametrize(
    "words",
    [
        ["--platforms", "appliance.json"],
        ["--platforms", "appliance.json", "--platform", "BOX-3"],
        ["--platforms", "appliance.json", "--platform", "BOX-2", "--disks", "sata"],
        ["--platform", "nonsense"],
    ],
)
def test_usage(words: list[str], files: dict[str, str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", "lifecycle", *(files.get(word, word) for word in words)])
    assert stopped.value.code == 2


VARIANTS = [
    OURS,
    replace(OURS, data_disks=2, raid_level=RaidLevel.RAID1, model_regex="^B2-RAID$"),
    replace(OURS, model_regex="^[A-Z]{4}-[0-9]$"),  # the simulated SKU number does not fit: identified by fallback
    replace(OURS, model_field=ModelField(3, "SKU Number"), model_regex="X"),
    replace(OURS, serial_field="baseboard-serial-number"),
    replace(OURS, serial_field="chassis-serial-number"),
    replace(OURS, cpu=("A", "B"), nic_info=NicInfo(mac_prefixes=("aa:bb",))),
    replace(OURS, nic_info=NicInfo(mac_prefixes=("*",))),
    replace(OURS, recovery_media=replace(OURS.recovery_media, validate=ValidateMethod.SATA), prototype=False),
    replace(OURS, ipmi=True, bios_config_tool="acme-setup", ipmi_config_tool="/opt/acme/ipmi"),
    *default_table(),
]


@pytest.mark.parametrize("firmware", FirmwareKind)
@pytest.mark.parametrize("platform", VARIANTS, ids=range(len(VARIANTS)))
def test_platforms_that_are_simulated(platform: Platform, firmware: FirmwareKind) -> None:
    names = Branding(mac_prefix="ac:3e", primary_label="SYSTEM")
    world = world_of(platform, names, firmware, random.Random(platform.code_name).randrange(99))
    assert [world.provision(), world.boot(), world.boot()] == [
        StopReason.REBOOT,
        StopReason.REBOOT,
        StopReason.SWITCHED_ROOT,
    ]
    assert world.factory.code_names in ({}, {"SIM0001": platform.code_name})
    assert recovery_problems(world) + system_problems(world) + secret_problems(world) == []


def test_a_serial_number_that_simulated_firmware_does_not_have() -> None:
    with pytest.raises(HardwareMismatch, match="system-uuid"):
        world_of(replace(OURS, serial_field="system-uuid"), Branding(), FirmwareKind.UEFI)
