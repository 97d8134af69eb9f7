"""Units of the lab that are of the user's own platforms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main
from gprov.apps.host.lab.machine import DiskBus
from gprov.apps.host.lab.own_platform import spec_of_platform
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.errors import BadInput
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import ModelField, Platform, RecoveryMedia, ValidateMethod
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.nics import NicInfo

ADOPTER = Path(__file__).parents[3] / "examples/adopter/acme/appliance.json"
(PLAIN,) = (each for each in default_table() if each.code_name == "QEMU-mfg-test")


def test_names_and_disks_are_those_of_the_platform() -> None:
    [platform] = parse_platform_table("appliance.json", ADOPTER.read_bytes())
    platform = replace(platform, model_regex=".*", nic_info=NicInfo(mac_prefixes=("56:78",)), ipmi=False)
    spec = spec_of_platform(platform, VirtualUnitSpec(serial="SN-1"))
    entry = json.loads(ADOPTER.read_text())["Variants"][0]
    assert (spec.code_name, spec.manufacturer, spec.product) == (
        entry["DevCodeName"], entry["DmiMbMfg"], entry["DmiProdName"],
    )  # fmt: skip
    assert spec.primaries == (DiskBus.AHCI,) * entry["NumDataDisks"]
    assert (spec.primary_size, spec.serial) == (entry["Disksize"], "SN-1")


@pytest.mark.parametrize("name", ["QEMU-mfg-test", "QEMU-mfg-test-raid5", "QEMU-mfg-test-dom", "QEMU-mfg-test-ipmi"])
def test_built_in_platforms_give_the_units_that_the_lab_makes_for_them(name: str) -> None:
    (platform,) = (each for each in default_table() if each.code_name == name)
    spec = spec_of_platform(platform, VirtualUnitSpec())
    on_sata = platform.recovery_media.validate is ValidateMethod.SATA
    assert spec.recovery_bus is (DiskBus.AHCI if on_sata else DiskBus.USB)
    assert (len(spec.primaries), spec.primary_size, spec.bmc) == (
        platform.data_disks, platform.disk_size, platform.ipmi,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("platform", "places"),
    [
        (replace(PLAIN, model_regex="^G2$"), ["DmiProdModelRegex"]),
        (replace(PLAIN, model_field=ModelField(3, "SKU Number")), ["DmiProdModelRegex"]),
        (replace(PLAIN, cpu=("Xeon",), serial_field="chassis-serial-number"), ["CPU", "SerNumField"]),
        (replace(PLAIN, recovery_media=RecoveryMedia(validate=ValidateMethod.P9)), ["RecoveryMedia"]),
        (replace(PLAIN, nic_info=NicInfo(wan_index=1)), ["NICInfo"]),
        (replace(PLAIN, nic_info=NicInfo(diag_ports=(0,))), ["NICInfo"]),
        (replace(PLAIN, nic_info=NicInfo(mac_prefixes=("00:11:22",))), ["NICInfo.MACPrefix"]),
    ],
)
def test_what_no_machine_of_the_lab_has_is_refused(platform: Platform, places: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        spec_of_platform(platform, VirtualUnitSpec())
    assert [problem.place for problem in caught.value.problems] == places


def test_options_that_do_not_fit_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "appliance.json"
    table.write_text(json.dumps({"Variants": [{**_entry(), "DevCodeName": "OWN"}]}))
    words = ["lab", "provision", "--workdir", str(tmp_path / "unit"), "--platforms", str(table)]
    for options, reason in ((["--disks", "nvme"], "is decided by the platform"), (["--platform", "X"], "known: OWN")):
        with pytest.raises(SystemExit) as ended:
            main([*words, *options])
        assert ended.value.code == 2
        assert reason in capsys.readouterr().err
    assert main(words) == 2
    assert "gprov build kernel --platforms FILE makes the kernels" in capsys.readouterr().err
    assert not (tmp_path / "unit").exists()


def _entry() -> dict[str, object]:
    entry: dict[str, object] = json.loads(ADOPTER.read_text())["Variants"][0]
    return {**entry, "DmiProdModelRegex": ".*", "NICInfo": {"WANIndex": 0, "MACPrefix": ["*"]}, "IPMI": False}
