"""What a lab unit is made as, and the manufData.json that asks for just that."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.apps.host.lab.argv import CPU_NAME
from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.disk_shapes import SHAPES, unit_spec, with_bmc, with_controllers, with_nic
from gprov.apps.host.lab.machine import DiskBus
from gprov.apps.host.lab.manufdata import Artifact, StepArtifacts, manuf_data
from gprov.apps.host.lab.nics import NICS
from gprov.apps.host.lab.stepfiles import PROGRAM, SCRIPT, STASH, step_files
from gprov.apps.host.lab.unitspec import VirtualUnitSpec, read_spec, spec_text
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB
from gprov.domain.errors import BadInput
from gprov.domain.formats.lcd.models import Model
from gprov.domain.mfg.manuf import ManufData, parse_manuf
from gprov.domain.mfg.steps import StepPoint
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import ValidateMethod

BASE = "http://10.0.2.2:8000"

plain_specs = st.builds(
    VirtualUnitSpec,
    serial=st.from_regex(r"[A-Z0-9.+-]{1,10}", fullmatch=True),
    firmware=st.sampled_from(FirmwareKind),
    primaries=st.lists(st.sampled_from(DiskBus), min_size=1, max_size=4).map(tuple),
    primary_size=st.integers(1, 1 << 50),
    recovery_size=st.integers(GIB, 1 << 40),
    recovery_bus=st.sampled_from(DiskBus),
    lcd=st.none() | st.sampled_from(Model),
)
specs = (
    plain_specs
    | plain_specs.map(with_bmc)
    | plain_specs.map(lambda spec: replace(spec, tpm=True))
    | st.builds(with_nic, plain_specs, st.sampled_from([*NICS]))
)


def parsed(spec: VirtualUnitSpec) -> ManufData:
    image = Artifact(f"{BASE}/files/WIDGET.LNX.SHINY.2024-01-15.0001.upd", "a" * 64)
    kernel = Artifact(f"{BASE}/files/norm_boot", "b" * 64)
    raw = json.dumps(manuf_data([image, kernel], BASE, spec)).encode()
    return parse_manuf("manufData.json", raw, Branding(), default_table())


@settings(max_examples=100)
@given(specs)
def test_a_unit_is_read_as_it_was_written(spec: VirtualUnitSpec) -> None:
    assert read_spec("unit.json", spec_text(spec)) == spec


@settings(max_examples=150)
@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(["serial", "primaries", "firmware"]), st.integers()))
def test_invalid_unit_files_are_refused(raw: bytes | dict[str, int]) -> None:
    with pytest.raises(BadInput):
        read_spec("unit.json", raw if isinstance(raw, bytes) else json.dumps(raw).encode())


def test_every_problem_of_a_unit_is_reported() -> None:
    raw = json.dumps({"serial": "", "mac": "m", "firmware": "coreboot", "primaries": ["floppy"], "primary_size": 0})
    with pytest.raises(BadInput) as caught:
        read_spec("unit.json", raw.encode())
    places = {problem.place for problem in caught.value.problems}
    assert {"$.serial", "$.firmware", "$.primaries", "$.primary_size", "$.recovery_size"} <= places


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_a_platform_of_the_default_table(name: str) -> None:
    spec = unit_spec(name)
    (platform,) = [each for each in default_table() if each.code_name == spec.code_name]
    rule = {DiskBus.USB: ValidateMethod.USB, DiskBus.AHCI: ValidateMethod.SATA}[spec.recovery_bus]
    assert platform.recovery_media.validate is rule
    assert (platform.raid_level is not None) == (len(spec.primaries) > 1)
    assert (platform.manufacturer, platform.product) == (spec.manufacturer, spec.product)
    assert (platform.disk_size, platform.data_disks) == (spec.primary_size, len(spec.primaries))
    assert spec.mac.startswith(Branding().mac_prefix)


@settings(max_examples=100)
@given(specs)
def test_manuf_data_is_valid_and_asks_for_this_machine(spec: VirtualUnitSpec) -> None:
    data = parsed(spec)
    # Invented sizes do not fit the platform; its own shapes do (the next test).
    assert {warning.place for warning in data.warnings} <= {"$.ValidationData[0].MainDiskConfigs[0]"}
    assert [file.sha256 for file in data.files] == ["a" * 64, "b" * 64]
    assert data.log_endpoint == BASE
    wanted = data.spec_for(spec.code_name)
    assert wanted is not None
    assert wanted.recovery.size == spec.recovery_size
    assert {disk.size for disk in wanted.main_disks[0]} == {spec.primary_size}
    assert sum(disk.quantity for disk in wanted.main_disks[0]) == len(spec.primaries)
    assert wanted.cpu is not None
    assert (wanted.cpu.model, wanted.cpu.cores, wanted.cpu.sockets) == (CPU_NAME, 2, 1)
    assert (wanted.ram_megs, wanted.oui_nics, wanted.total_nics) == (2048, 1, 1)


@pytest.mark.parametrize("name", SHAPES)
def test_manuf_data_of_a_shape_fits_its_platform(name: str) -> None:
    assert parsed(unit_spec(name)).warnings == ()


@pytest.mark.parametrize("firmware", FirmwareKind)
@pytest.mark.parametrize("recovery", DiskBus)
@pytest.mark.parametrize("data", [None, *DiskBus])
def test_a_unit_on_other_controllers_fits_a_platform_or_is_refused(
    data: DiskBus | None, recovery: DiskBus, firmware: FirmwareKind
) -> None:
    usual = unit_spec("sata", firmware)
    try:
        spec = with_controllers(usual, data, recovery)
    except BadInput as error:
        wrong = {problem.place for problem in error.problems}
        assert "controller of the data disks" not in wrong or (data is not None and CONTROLLERS[data].removable)
        assert "controller of RECOVERY" not in wrong or recovery not in (DiskBus.AHCI, DiskBus.NVME, DiskBus.USB)
        return
    assert firmware in CONTROLLERS[recovery].starts
    assert not any(CONTROLLERS[bus].removable for bus in spec.primaries)
    assert (spec.primaries, spec.recovery_bus) == ((data or DiskBus.AHCI,), recovery)
    (platform,) = [each for each in default_table() if each.code_name == spec.code_name]
    assert (platform.product, platform.disk_size) == (spec.product, spec.primary_size)
    on_usb = recovery in (DiskBus.USB, DiskBus.UAS)
    assert platform.recovery_media.validate is (ValidateMethod.USB if on_usb else ValidateMethod.NONE)
    assert parsed(spec).warnings == ()


def test_each_reason_against_a_unit_is_given() -> None:
    with pytest.raises(BadInput) as caught:
        with_controllers(unit_spec("raid1"), DiskBus.SDHCI, DiskBus.PVSCSI)
    assert [problem.message for problem in caught.value.problems] == [
        "sdhci: such disks are removable, gprov makes RECOVERY on them only",
        "no platform like QEMU-mfg-test-raid1 has RECOVERY on another one",
        "pvscsi: OVMF cannot start from it",
    ]
    assert with_controllers(unit_spec("raid1"), DiskBus.PVSCSI).primaries == (DiskBus.PVSCSI,) * 2


def test_network_boot_needs_an_option_rom() -> None:
    netbooted = replace(unit_spec("sata"), netboot=True)
    assert with_nic(netbooted, "vmxnet3").machine("/u").nics[0].model == "vmxnet3"
    with pytest.raises(BadInput, match="tulip: has no option ROM for network boot"):
        with_nic(netbooted, "tulip")
    assert with_nic(unit_spec("sata"), "tulip").nic == "tulip"


def test_steps_of_a_lab_unit_are_valid() -> None:
    spec = VirtualUnitSpec()
    image = Artifact(f"{BASE}/files/WIDGET.LNX.SHINY.2024-01-15.0001.upd", "a" * 64)
    kernel = Artifact(f"{BASE}/files/norm_boot", "b" * 64)
    steps = StepArtifacts(*(Artifact(f"{BASE}/files/{name}", "c" * 64) for name in step_files()))
    raw = json.dumps(manuf_data([image, kernel], BASE, spec, steps)).encode()
    data = parse_manuf("manufData.json", raw, Branding())
    assert data.warnings == ()
    (step,) = data.steps_for(spec.code_name).at(StepPoint.AFTER_IMAGING)
    assert ([file.name for file in step.files], len(step.commands)) == ([SCRIPT, PROGRAM], 4)
    (last,) = data.steps_for(spec.code_name).at(StepPoint.AFTER_PASSWORDS)
    assert len(last.commands) == 3
    assert [(file.name, file.is_archive) for file in data.stash_files] == [(STASH, True)]


def test_step_files_are_the_same_bytes_each_time() -> None:
    assert step_files() == step_files()
