"""Provisioning with bad documents, hardware, images and servers: a precise error, and nothing else is changed."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Mapping

import pytest
from typing_extensions import override

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeVolume
from gprov.adapters.fake.net.factory import FakeFactory
from gprov.adapters.fake.net.origin import ServerFault
from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL, publish
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Bus, FileSystemKind
from gprov.domain.errors import (
    BadInput,
    DeviceMissing,
    GprovError,
    HardwareMismatch,
    IntegrityFault,
    NetworkFault,
    RefusedByPolicy,
)
from gprov.domain.events import ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.formats.efi.device_nodes import FilePath, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, serialise_load_option
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Credentials
from tests.unit.flow.driver import FailsAt, UnitDriver

IMAGE_URL = f"{BASE_URL}/{IMAGE_NAME}"
KERNEL = build_kernel(100)
Change = Callable[[UnitDriver], None]


@pytest.fixture
def unit(blank: UnitDriver) -> UnitDriver:
    """Every test here begins with a unit with empty disks."""
    return blank


def text_of(error: GprovError) -> str:
    return "\n".join((str(error), *error.details()))


def manuf(unit: UnitDriver) -> dict[str, Json]:
    document = json.loads(unit.origin.content[MANUF_URL])
    assert isinstance(document, dict)
    return document


def changed(**values: Json) -> Change:
    """manufData.json with other values at the top level."""
    return lambda unit: unit.change_manuf(**values)


def spec(**values: Json) -> Change:
    """manufData.json with other values in the specification of the platform."""

    def change(unit: UnitDriver) -> None:
        document = manuf(unit)
        entries = document["ValidationData"]
        assert isinstance(entries, list)
        assert isinstance(entries[0], dict)
        unit.change_manuf(ValidationData=[{**entries[0], **values}])

    return change


def files(*entries: Mapping[str, Json]) -> Change:
    return changed(Files=[dict(entry) for entry in entries])


def served(content: bytes | None) -> Change:
    def change(unit: UnitDriver) -> None:
        if content is None:
            del unit.origin.content[MANUF_URL]
        else:
            unit.origin.content[MANUF_URL] = content

    return change


def smbios(table: bytes) -> Change:
    def change(unit: UnitDriver) -> None:
        unit.machine.smbios = table

    return change


def another_disk(size: int, bus: Bus) -> Change:
    def change(unit: UnitDriver) -> None:
        unit.machine.add_disk(size, bus=bus, serial="another")

    return change


def rival(unit: UnitDriver) -> None:
    """Another USB disk with a volume labelled RECOVERY; the specification allows for that disk."""
    sizes = ({"Size": 20 * GIB, "Quantity": 1}, {"Size": 8 * GIB, "Quantity": 1})
    spec(MainDiskConfigs=[list(sizes)])(unit)
    stick = unit.machine.add_disk(8 * GIB, bus=Bus.USB, serial="rival")
    stick.partitions = [unit.machine.new_partition(1, MIB, 7 * GIB, "")]
    stick.partitions[0].volume = FakeVolume(kind=FileSystemKind.EXT4, label="RECOVERY", uuid="rival", size=7 * GIB)


def disk(index: int, size: int) -> Change:
    def change(unit: UnitDriver) -> None:
        unit.machine.disks[index].size = size

    return change


def unplugged(index: int) -> Change:
    def change(unit: UnitDriver) -> None:
        del unit.machine.disks[index]

    return change


def origin_down(unit: UnitDriver) -> None:
    unit.origin.down = True


def factory_down(unit: UnitDriver) -> None:
    unit.factory.down = True


def no_cable(unit: UnitDriver) -> None:
    unit.machine.nics = ()


HASH = "0" * 64
GOOD_KERNEL = {"Src": f"{BASE_URL}/norm_boot", "Sha256": HASH}
GOOD_IMAGE = {"Src": IMAGE_URL, "Sha256": HASH}

# What changes, the family of the error, and what its text must name.
NOTHING_WRITTEN: dict[str, tuple[Change, type[GprovError], tuple[str, ...]]] = {
    "manufData.json is not there": (served(None), NetworkFault, (MANUF_URL, "404")),
    "manufData.json is no JSON": (served(b"<html>"), BadInput, (MANUF_URL, "JSON")),
    "manufData.json is no object": (served(b"[]"), BadInput, (MANUF_URL,)),
    "manufData.json is empty": (served(b""), BadInput, (MANUF_URL,)),
    "wrong types": (changed(Files="all", LogEndpoint=5), BadInput, (MANUF_URL, "$.Files", "$.LogEndpoint")),
    "wrong types deep inside": (
        spec(Recovery={"Size": "4 GiB"}, TotalNics="one"),
        BadInput,
        ("$.ValidationData[0].Recovery.Size", "$.ValidationData[0].TotalNics"),
    ),
    "no server to report to": (changed(LogEndpoint=""), BadInput, (MANUF_URL, "$.LogEndpoint", "empty")),
    "no specification for this platform": (spec(DevCodeName="Other"), HardwareMismatch, ("QEMU-mfg-test", "Other")),
    "Dest leaves RECOVERY": (
        files({**GOOD_IMAGE, "Dest": "../../etc/passwd"}, GOOD_KERNEL),
        BadInput,
        ("$.Files[0].Dest", "'..'"),
    ),
    "Dest is absolute and climbs": (
        files({**GOOD_IMAGE, "Dest": "/../etc/passwd"}, GOOD_KERNEL),
        BadInput,
        ("$.Files[0].Dest", "'..'"),
    ),
    "a short hash": (
        files({**GOOD_IMAGE, "Sha256": "0" * 63}, GOOD_KERNEL),
        BadInput,
        ("$.Files[0].Sha256", "63"),
    ),
    "no hash at all": (files({"Src": IMAGE_URL}, GOOD_KERNEL), BadInput, ("$.Files[0]", "Sha256")),
    "no image": (files(GOOD_KERNEL), BadInput, ("$.Files", "no image")),
    "no kernel": (files(GOOD_IMAGE), BadInput, ("$.Files", "norm_boot")),
    "an image of no valid name": (
        files({"Src": f"{BASE_URL}/WIDGET.LNX.SHINY.2026-02-30.1.upd", "Sha256": HASH}, GOOD_KERNEL),
        BadInput,
        ("$.Files[0].Src", "2026-02-30"),
    ),
    "the web server does not answer": (origin_down, NetworkFault, (MANUF_URL,)),
    "the factory server does not answer": (factory_down, NetworkFault, ("http://factory.invalid",)),
    "no network interface": (no_cable, NetworkFault, ("network interface",)),
    "no SMBIOS": (smbios(b""), DeviceMissing, ("SMBIOS",)),
    "SMBIOS is garbage": (smbios(b"\xff" * 64), BadInput, ("SMBIOS table", "offset 0")),
    "SMBIOS is cut off": (smbios(build_table(FakeSystem(serial=SERIAL))[:20]), BadInput, ("SMBIOS table", "offset 0")),
    "an unknown product": (
        smbios(build_table(FakeSystem(manufacturer="ACME", product="X1", serial=SERIAL))),
        HardwareMismatch,
        ("'ACME' 'X1'", "QEMU-mfg-test"),
    ),
    "no serial number": (
        smbios(build_table(FakeSystem(serial=""))),
        HardwareMismatch,
        ("serial number", "system-serial-number"),
    ),
    "a serial number that is a placeholder": (
        smbios(build_table(FakeSystem(serial="To be filled by O.E.M."))),
        HardwareMismatch,
        ("To be filled by O.E.M.", "placeholder"),
    ),
    "no disk for RECOVERY": (unplugged(1), HardwareMismatch, ("Recovery",)),
    "RECOVERY outside of its tolerance": (disk(1, 4 * GIB + 42 * MIB), HardwareMismatch, ("Recovery", "bytes")),
    "RECOVERY too small": (disk(1, 3 * GIB), HardwareMismatch, ("Recovery",)),
    "RECOVERY not attached as it must be": (
        lambda unit: setattr(unit.machine.disks[1], "bus", Bus.ATA),
        HardwareMismatch,
        ("/dev/sdb", "usb"),
    ),
    "two disks that could be RECOVERY": (another_disk(4 * GIB, Bus.USB), HardwareMismatch, ("Recovery", "2 x")),
    "another volume that would be taken for RECOVERY": (
        rival,
        HardwareMismatch,
        ("labelled RECOVERY", "/dev/sdc1", "/dev/sdb", "second RECOVERY"),
    ),
    "no data disk": (unplugged(0), HardwareMismatch, ("MainDiskConfigs",)),
    "a data disk of another size": (disk(0, 21 * GIB), HardwareMismatch, ("MainDiskConfigs", str(21 * GIB))),
    "two data disks": (another_disk(20 * GIB, Bus.ATA), HardwareMismatch, ("MainDiskConfigs", "2 x")),
    "fewer interfaces": (spec(TotalNics=2), HardwareMismatch, ("TotalNics",)),
    "an external platform table": (
        changed(ApplianceJsonUrl=f"{BASE_URL}/appliance.json"),
        NetworkFault,
        (f"{BASE_URL}/appliance.json", "404"),
    ),
}


@pytest.mark.parametrize("case", NOTHING_WRITTEN)
def test_nothing_is_written_before_everything_was_checked(unit: UnitDriver, case: str) -> None:
    change, family, named = NOTHING_WRITTEN[case]
    change(unit)
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, family)
    for name in named:
        assert name in text_of(error)
    assert unit.machine.media_state() == before
    assert unit.machine.nvram == {}
    assert ProcessState.MFG_SUCCEEDED not in unit.factory.states
    assert unit.factory.documents == {}
    assert str(error) in repr([event.body for event in unit.sink.events])


def test_two_candidates_for_the_target_are_refused_even_if_the_specification_lists_two_disks(unit: UnitDriver) -> None:
    """The platform has one data disk; the specification does not say which of the two it is."""
    another_disk(20 * GIB, Bus.ATA)(unit)
    spec(MainDiskConfigs=[[{"Size": 20 * GIB, "SizeTolerancePct": 1, "Quantity": 2}]])(unit)
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, HardwareMismatch)
    assert "more than one choice: /dev/sda, /dev/sdc" in str(error)
    assert unit.machine.media_state() == before


def test_the_disk_that_provisioning_was_started_from_does_not_become_recovery(unit: UnitDriver) -> None:
    """The kernel for provisioning is on the USB disk that would become RECOVERY."""
    stick = unit.machine.disks[1]
    part = unit.machine.new_partition(1, MIB, GIB, "ESP")
    stick.partitions = [part]
    path = (gpt_partition(1, 2048, GIB // 512, part.uuid), FilePath("\\provision.efi"))
    unit.machine.nvram[VariableName("Boot0007")] = Variable(7, serialise_load_option(LoadOption("stick", path)))
    unit.world.provisioned_by = 7
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, HardwareMismatch)
    assert "/dev/sdb" in text_of(error)
    assert "this boot came from it" in text_of(error)
    assert unit.machine.media_state() == before


def test_recovery_in_a_shared_folder_is_refused(unit: UnitDriver) -> None:
    external_table(unit, "lab", RecoveryMedia={"LocateRDMethod": "9p", "ValidateRDMethod": "9p"})
    before = unit.machine.media_state()
    error = unit.provision_fails(PROVISION_MFG_TEST="Allow-external-json")
    assert isinstance(error, HardwareMismatch)
    assert "lab: RECOVERY in a shared folder of a host (9p) is not supported" in str(error)
    assert unit.machine.media_state() == before


def external_table(unit: UnitDriver, code_name: str, **values: Json) -> None:
    from gprov.domain.platform.default_table import default_table
    from gprov.domain.platform.facts import platform_entry

    entry = {**platform_entry(default_table()[0]), "DevCodeName": code_name, **values}
    unit.origin.content[f"{BASE_URL}/appliance.json"] = json.dumps({"Variants": [entry]}).encode()
    unit.change_manuf(ApplianceJsonUrl=f"{BASE_URL}/appliance.json")
    spec(DevCodeName=code_name)(unit)


def test_an_external_table_identifies_the_unit_and_does_not_provision_it(unit: UnitDriver) -> None:
    external_table(unit, "from-outside")
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, RefusedByPolicy)
    assert "ApplianceJsonUrl" in str(error)
    assert unit.factory.code_names == {SERIAL: "from-outside"}
    assert unit.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]
    assert unit.machine.media_state() == before


def test_an_external_table_provisions_the_unit_if_the_test_switch_allows_it(unit: UnitDriver) -> None:
    external_table(unit, "from-outside")
    assert unit.provision(PROVISION_MFG_TEST="Allow-external-json") is StopReason.REBOOT
    assert unit.factory.code_names == {SERIAL: "from-outside"}
    assert unit.factory.documents == {}


def repacked(tar: bytes, check: int = lzma.CHECK_SHA256) -> bytes:
    return lzma.compress(tar, check=check, preset=0)


def without(*names: str, **contents: bytes) -> bytes:
    """An image that lacks some members; ``contents``: others by the last part of their name."""
    kept = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(lzma.decompress(build_image(KERNEL)))) as old,
        tarfile.open(fileobj=kept, mode="w:", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            if member.name in names:
                continue
            file = old.extractfile(member)
            content = contents.get(member.name.rsplit("/", 1)[1], file.read() if file is not None else b"")
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return repacked(kept.getvalue())


def cut_at_a_member() -> bytes:
    """It decodes without error, and GNU tar accepts it; the end-of-archive mark is missing."""
    tar = lzma.decompress(build_image(KERNEL))
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        last = archive.getmembers()[-1].offset
    return repacked(tar[:last])


def flipped(content: bytes, at: int) -> bytes:
    damaged = bytearray(content)
    damaged[at] ^= 0x10
    return bytes(damaged)


IMAGE = build_image(KERNEL)
BAD_IMAGES: dict[str, tuple[bytes, type[GprovError], tuple[str, ...]]] = {
    "empty": (b"", IntegrityFault, ()),
    "no xz": (b"PK\x03\x04" + bytes(1000), IntegrityFault, ()),
    "CRC64": (repacked(lzma.decompress(IMAGE), lzma.CHECK_CRC64), IntegrityFault, ("SHA-256",)),
    "no check": (repacked(lzma.decompress(IMAGE), lzma.CHECK_NONE), IntegrityFault, ("SHA-256",)),
    "CRC64 in a later stream": (IMAGE + repacked(bytes(512), lzma.CHECK_CRC64), IntegrityFault, ("SHA-256",)),
    "truncated": (IMAGE[: len(IMAGE) // 2 // 4 * 4], IntegrityFault, ()),
    "less its last byte": (IMAGE[:-1], IntegrityFault, ()),
    "a bit flipped in the middle": (flipped(IMAGE, len(IMAGE) // 2), IntegrityFault, ()),
    "a bit flipped in the footer": (flipped(IMAGE, len(IMAGE) - 5), IntegrityFault, ()),
    "garbage behind": (IMAGE + b"garbage!", IntegrityFault, ()),
    "cut at a member": (cut_at_a_member(), IntegrityFault, ()),
    "no admin account": (without(passwd=b"root:x:0:0:root:/root:/bin/sh\n"), BadInput, ("passwd", "admin")),
    "no shadow file": (without("etc/shadow"), BadInput, ("/etc/shadow",)),
    "no kernel": (without("boot/norm_boot"), BadInput, ("/boot/norm_boot", "not in the image")),
    "no init": (without("usr/lib/systemd/systemd"), BadInput, ("/usr/lib/systemd/systemd",)),
    "a script as kernel": (
        without(norm_boot=b"#!/bin/sh\n" * 100),
        BadInput,
        ("/boot/norm_boot", "signature"),
    ),
}


def unchanged_but_recovery(unit: UnitDriver, before: dict[str, object]) -> None:
    """The data disk is as it was, and the machine starts over the network again."""
    assert unit.machine.media_state()["sda"] == before["sda"]
    assert unit.machine.disks[0].writes == 0
    assert unit.machine.nvram == {}
    with pytest.raises(DeviceMissing):
        firmware_start(unit.machine)
    assert ProcessState.MFG_SUCCEEDED not in unit.factory.states
    assert unit.factory.states[-1] is ProcessState.MFG_FAILED
    assert unit.factory.documents == {}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_a_bad_image_ends_provisioning_before_the_unit_can_start(unit: UnitDriver, case: str) -> None:
    content, family, named = BAD_IMAGES[case]
    publish(unit.origin, {IMAGE_NAME: content, "norm_boot": KERNEL})
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, family)
    for name in (f"/mnt/RECOVERY/Image/{IMAGE_NAME}", *named):
        assert name in text_of(error)
    unchanged_but_recovery(unit, before)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", KERNEL[:512], flipped(KERNEL, 0x202)])
def test_a_download_that_is_no_kernel_ends_provisioning(unit: UnitDriver, content: bytes) -> None:
    publish(unit.origin, {IMAGE_NAME: IMAGE, "norm_boot": content})
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, BadInput)
    assert str(error).startswith("/mnt/RECOVERY/ESP/norm_boot: ")
    unchanged_but_recovery(unit, before)


def test_kernels_without_a_build_number_end_provisioning(unit: UnitDriver) -> None:
    nameless = KERNEL.replace(b"#100 SMP", b"#one SMP")
    publish(unit.origin, {IMAGE_NAME: build_image(nameless), "norm_boot": nameless})
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert "build number" in str(error)
    unchanged_but_recovery(unit, before)


def test_a_file_that_the_server_does_not_have_ends_provisioning(unit: UnitDriver) -> None:
    del unit.origin.content[f"{BASE_URL}/norm_boot"]
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, NetworkFault)
    assert str(error) == f"{BASE_URL}/norm_boot: not found (404)"
    unchanged_but_recovery(unit, before)


def test_a_file_with_another_hash_ends_provisioning(unit: UnitDriver) -> None:
    unit.origin.content[IMAGE_URL] += b"\0\0\0\0"
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert isinstance(error, IntegrityFault)
    assert str(error).startswith(
        f"{IMAGE_URL}: SHA-256 is {hashlib.sha256(unit.origin.content[IMAGE_URL]).hexdigest()}"
    )
    assert unit.machine.volume_tree("RECOVERY").children("/Image") == ()
    unchanged_but_recovery(unit, before)


# Of the image's download: how the server fails, and what the error says if manufData.json states the size, and if not.
# None: the file comes; "wrong": other bytes come.
TRANSFERS = {
    ServerFault.HANGS: ("no answer within 60 s (6 attempts)", "no answer within 60 s (6 attempts)"),
    ServerFault.RESETS: (None, None),
    ServerFault.NO_RANGE: (None, None),
    ServerFault.OVERSTATES: ("ended after", "ended after"),
    ServerFault.TRUNCATES: ("its Size in manufData.json is", "SHA-256 is"),
    ServerFault.STALE: ("its Size in manufData.json is", "SHA-256 is"),
    ServerFault.LONGER: ("its Size in manufData.json is", "SHA-256 is"),
    ServerFault.ENDLESS: ("does not end, and its Size in manufData.json is", "does not end, and"),
    ServerFault.DRIPS: ("only 60 bytes came within 60 s", "only 60 bytes came within 60 s"),
    ServerFault.INTERIM: ("interim answers", "interim answers"),
    ServerFault.REDIRECTS: ("redirects more than 5 times", "redirects more than 5 times"),
    ServerFault.ENCODES: ("its Size in manufData.json is", "SHA-256 is"),
}


def with_sizes(unit: UnitDriver, sizes: Mapping[str, int]) -> None:
    """manufData.json with ``Size`` of files by their URL."""
    entries = manuf(unit)["Files"]
    assert isinstance(entries, list)
    stated = [entry for entry in entries if isinstance(entry, dict)]
    files(*({**entry, **({"Size": sizes[url]} if (url := str(entry["Src"])) in sizes else {})} for entry in stated))(
        unit
    )


@pytest.mark.parametrize("stated", [True, False], ids=["Size", "no Size"])
@pytest.mark.parametrize("fault", ServerFault, ids=lambda fault: fault.value)
def test_a_server_that_does_not_serve_the_image_as_it_should(
    unit: UnitDriver, fault: ServerFault, stated: bool
) -> None:
    """The unit says what is wrong within its deadline, and no part of the file is left on RECOVERY."""
    if stated:
        with_sizes(unit, {url: len(content) for url, content in unit.origin.content.items()})
    unit.origin.faults[IMAGE_URL] = fault
    expected = TRANSFERS[fault][0 if stated else 1]
    before, began = unit.machine.media_state(), unit.machine.clock.monotonic()
    if expected is None:
        assert unit.provision() is StopReason.REBOOT
        return
    error = unit.provision_fails()
    assert str(error).startswith(f"{IMAGE_URL}: ")
    assert expected in str(error)
    assert unit.machine.volume_tree("RECOVERY").children("/Image") == ()
    assert unit.machine.clock.monotonic() - began < 1800
    unchanged_but_recovery(unit, before)


@pytest.mark.parametrize(
    "fault", [fault for fault in ServerFault if fault not in (ServerFault.RESETS, ServerFault.NO_RANGE)]
)
def test_a_server_that_does_not_serve_manuf_data_as_it_should(unit: UnitDriver, fault: ServerFault) -> None:
    unit.origin.faults[MANUF_URL] = fault
    before, began = unit.machine.media_state(), unit.machine.clock.monotonic()
    error = unit.provision_fails()
    assert MANUF_URL in str(error)
    assert unit.machine.media_state() == before
    assert unit.machine.clock.monotonic() - began < 600


def test_an_image_for_which_recovery_has_no_room_is_not_begun(unit: UnitDriver) -> None:
    with_sizes(unit, {IMAGE_URL: 1 << 40})
    error = unit.provision_fails()
    assert str(error).startswith(f"/mnt/RECOVERY/Image: {IMAGE_URL} has {1 << 40} bytes, and ")
    assert "use a larger volume" in str(error)
    assert (IMAGE_URL, 0) not in unit.origin.requests


class FailingFactory(FakeFactory):
    """It answers all requests but one kind."""

    fails_at = ""

    def _fail(self, what: str) -> None:
        if what == self.fails_at:
            raise NetworkFault("http://factory.invalid", f"no answer to {what}")

    @override
    def time_ns(self) -> int:
        self._fail("time")
        return super().time_ns()

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: object) -> None:
        self._fail("macs")
        super().macs(serial, nics, ())

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        self._fail("credentials")
        return super().credentials(serial, endpoint)

    @override
    def document(self, serial: str, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        self._fail("document")
        super().document(serial, name, content, kind)


@pytest.mark.parametrize("what", ["time", "macs", "credentials", "document"])
def test_a_server_that_stops_answering_ends_provisioning_before_the_unit_can_start(unit: UnitDriver, what: str) -> None:
    unit.world.factory = factory = FailingFactory()
    factory.fails_at = what
    before = unit.machine.media_state()
    error = unit.provision_fails()
    assert str(error) == f"http://factory.invalid: no answer to {what}"
    unchanged_but_recovery(unit, before)
    factory.fails_at = ""
    assert unit.settle(in_factory=True) == ("network: reboot", "reboot", "switched root")


def failure_of(unit: UnitDriver) -> GprovError | None:
    try:
        unit.provision()
    except GprovError as error:
        return error
    return None


def test_a_fault_at_any_operation_is_a_failure_and_the_next_provisioning_succeeds(blank: UnitDriver) -> None:
    for at, name in enumerate(blank.operations(UnitDriver.provision)):
        unit = blank.copy()
        unit.machine.hook = FailsAt(at)
        error = failure_of(unit)
        if error is None:
            # RECOVERY is checked and mounted again, as on every later start.
            assert name in ("check /dev/sdb1", "mount /dev/sdb1", "mount /dev/sdb2")
        else:
            assert "input/output error" in text_of(error), name
            assert unit.factory.states in ([], [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]), name
        unit.machine.hook = None
        assert unit.settle(in_factory=True)[-1] == "switched root", name
