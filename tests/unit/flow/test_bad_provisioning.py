"""Provisioning with everything wrong that can be: a precise error, and nothing changed that may not change."""

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
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeVolume
from gprov.adapters.fake.net.network import FakeFactory
from gprov.apps.host.simulation.cuts import operations_of, settle
from gprov.apps.host.simulation.world import BASE_URL, IMAGE_NAME, MANUF_URL, SERIAL, World, new_world, publish
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Bus, FileSystemKind
from gprov.domain.errors import (
    BadInput,
    DeviceFault,
    DeviceMissing,
    GprovError,
    HardwareMismatch,
    IntegrityFault,
    NetworkFault,
    RefusedByPolicy,
)
from gprov.domain.events import ProcessState
from gprov.domain.formats.efi.device_nodes import FilePath, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, serialise_load_option
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Credentials

IMAGE_URL = f"{BASE_URL}/{IMAGE_NAME}"
KERNEL = build_kernel(100)
Change = Callable[[World], None]


def text_of(error: GprovError) -> str:
    return "\n".join((str(error), *error.details()))


def provision_fails(world: World, **arguments: str) -> GprovError:
    with pytest.raises(GprovError) as caught:
        world.provision(**arguments)
    return caught.value


def manuf(world: World) -> dict[str, Json]:
    document = json.loads(world.origin.content[MANUF_URL])
    assert isinstance(document, dict)
    return document


def changed(**values: Json) -> Change:
    """manufData.json with other values at the top level."""

    def change(world: World) -> None:
        world.origin.content[MANUF_URL] = json.dumps({**manuf(world), **values}).encode()

    return change


def spec(**values: Json) -> Change:
    """manufData.json with other values in the specification of the platform."""

    def change(world: World) -> None:
        document = manuf(world)
        entries = document["ValidationData"]
        assert isinstance(entries, list)
        assert isinstance(entries[0], dict)
        changed(ValidationData=[{**entries[0], **values}])(world)

    return change


def files(*entries: Mapping[str, Json]) -> Change:
    return changed(Files=[dict(entry) for entry in entries])


def served(content: bytes | None) -> Change:
    def change(world: World) -> None:
        if content is None:
            del world.origin.content[MANUF_URL]
        else:
            world.origin.content[MANUF_URL] = content

    return change


def smbios(table: bytes) -> Change:
    def change(world: World) -> None:
        world.machine.smbios = table

    return change


def another_disk(size: int, bus: Bus) -> Change:
    def change(world: World) -> None:
        world.machine.add_disk(size, bus=bus, serial="another")

    return change


def rival(world: World) -> None:
    """Another stick with a volume labelled RECOVERY; the specification has a place for it."""
    sizes = ({"Size": 20 * GIB, "Quantity": 1}, {"Size": 8 * GIB, "Quantity": 1})
    spec(MainDiskConfigs=[list(sizes)])(world)
    stick = world.machine.add_disk(8 * GIB, bus=Bus.USB, serial="rival")
    stick.partitions = [world.machine.new_partition(1, MIB, 7 * GIB, "")]
    stick.partitions[0].volume = FakeVolume(kind=FileSystemKind.EXT4, label="RECOVERY", uuid="rival", size=7 * GIB)


def disk(index: int, size: int) -> Change:
    def change(world: World) -> None:
        world.machine.disks[index].size = size

    return change


def unplugged(index: int) -> Change:
    def change(world: World) -> None:
        del world.machine.disks[index]

    return change


def origin_down(world: World) -> None:
    world.origin.down = True


def factory_down(world: World) -> None:
    world.factory.down = True


def no_cable(world: World) -> None:
    world.machine.nics = ()


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
    "Dest is absolute": (files({**GOOD_IMAGE, "Dest": "/etc/passwd"}, GOOD_KERNEL), BadInput, ("$.Files[0].Dest",)),
    "a hash is none": (files({**GOOD_IMAGE, "Sha256": "0" * 63}, GOOD_KERNEL), BadInput, ("$.Files[0].Sha256", "63")),
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
    "a serial number that is none": (
        smbios(build_table(FakeSystem(serial="To be filled by O.E.M."))),
        HardwareMismatch,
        ("To be filled by O.E.M.", "placeholder"),
    ),
    "no disk for RECOVERY": (unplugged(1), HardwareMismatch, ("Recovery",)),
    "RECOVERY outside of its tolerance": (disk(1, 4 * GIB + 42 * MIB), HardwareMismatch, ("Recovery", "bytes")),
    "RECOVERY too small": (disk(1, 3 * GIB), HardwareMismatch, ("Recovery",)),
    "RECOVERY not attached as it must be": (
        lambda world: setattr(world.machine.disks[1], "bus", Bus.ATA),
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
def test_nothing_is_written_before_everything_was_checked(case: str) -> None:
    change, family, named = NOTHING_WRITTEN[case]
    world, sink = new_world(), MemorySink()
    world.sinks = (sink,)
    change(world)
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, family)
    for name in named:
        assert name in text_of(error)
    assert world.machine.storage() == before
    assert world.machine.nvram == {}
    assert ProcessState.MFG_SUCCEEDED not in world.factory.states
    assert world.factory.documents == {}
    assert str(error) in repr([event.body for event in sink.events])


def test_more_than_one_candidate_for_the_targets_is_refused_even_if_the_specification_allows_it() -> None:
    """The platform has one data disk; a specification that lists a second one does not say which is which."""
    world = new_world()
    another_disk(20 * GIB, Bus.ATA)(world)
    spec(MainDiskConfigs=[[{"Size": 20 * GIB, "SizeTolerancePct": 1, "Quantity": 2}]])(world)
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, HardwareMismatch)
    assert "more than one choice: /dev/sda, /dev/sdc" in str(error)
    assert world.machine.storage() == before


def test_what_this_start_came_from_does_not_become_recovery() -> None:
    """A kernel for provisioning on the very stick: it is not overwritten while it is needed."""
    world = new_world()
    stick = world.machine.disks[1]
    part = world.machine.new_partition(1, MIB, GIB, "ESP")
    stick.partitions = [part]
    path = (gpt_partition(1, 2048, GIB // 512, part.uuid), FilePath("\\provision.efi"))
    world.machine.nvram[VariableName("Boot0007")] = Variable(7, serialise_load_option(LoadOption("stick", path)))
    world.provisioned_by = 7
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, HardwareMismatch)
    assert "/dev/sdb" in text_of(error)
    assert "this boot came from it" in text_of(error)
    assert world.machine.storage() == before


def test_recovery_in_a_shared_folder_is_refused() -> None:
    world = new_world()
    external_table(world, "lab", RecoveryMedia={"LocateRDMethod": "9p", "ValidateRDMethod": "9p"})
    before = world.machine.storage()
    error = provision_fails(world, PROVISION_MFG_TEST="Allow-external-json")
    assert isinstance(error, HardwareMismatch)
    assert "lab: RECOVERY in a shared folder of a host (9p) is not supported" in str(error)
    assert world.machine.storage() == before


def external_table(world: World, code_name: str, **values: Json) -> None:
    from gprov.domain.platform.default_table import default_table
    from gprov.domain.platform.facts import platform_entry

    entry = {**platform_entry(default_table()[0]), "DevCodeName": code_name, **values}
    world.origin.content[f"{BASE_URL}/appliance.json"] = json.dumps({"Variants": [entry]}).encode()
    changed(ApplianceJsonUrl=f"{BASE_URL}/appliance.json")(world)
    spec(DevCodeName=code_name)(world)


def test_an_external_table_only_identifies() -> None:
    world = new_world()
    external_table(world, "from-outside")
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, RefusedByPolicy)
    assert "ApplianceJsonUrl" in str(error)
    assert world.factory.code_names == {SERIAL: "from-outside"}
    assert world.factory.states == [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]
    assert world.machine.storage() == before


def test_an_external_table_provisions_if_it_is_allowed_to() -> None:
    world = new_world()
    external_table(world, "from-outside")
    assert world.provision(PROVISION_MFG_TEST="Allow-external-json") is Stop.REBOOT
    assert world.factory.code_names == {SERIAL: "from-outside"}
    assert world.factory.documents == {}


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
    """Decodes without error, and GNU tar alone would be content: but the end-of-archive mark is missing."""
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
    "a kernel that is none": (without(norm_boot=b"#!/bin/sh\n" * 100), BadInput, ("/boot/norm_boot", "signature")),
}


def unchanged_but_recovery(world: World, before: dict[str, object]) -> None:
    """The data disk is as it was, and the machine starts over the network again."""
    assert world.machine.storage()["sda"] == before["sda"]
    assert world.machine.disks[0].writes == 0
    assert world.machine.nvram == {}
    with pytest.raises(DeviceMissing):
        firmware_start(world.machine)
    assert ProcessState.MFG_SUCCEEDED not in world.factory.states
    assert world.factory.states[-1] is ProcessState.MFG_FAILED
    assert world.factory.documents == {}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_a_bad_image_ends_provisioning_before_the_unit_can_start(case: str) -> None:
    content, family, named = BAD_IMAGES[case]
    world = new_world()
    publish(world.origin, {IMAGE_NAME: content, "norm_boot": KERNEL})
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, family)
    for name in (f"/mnt/RECOVERY/Image/{IMAGE_NAME}", *named):
        assert name in text_of(error)
    unchanged_but_recovery(world, before)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", KERNEL[:512], flipped(KERNEL, 0x202)])
def test_a_downloaded_kernel_that_is_none_ends_provisioning(content: bytes) -> None:
    world = new_world()
    publish(world.origin, {IMAGE_NAME: IMAGE, "norm_boot": content})
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, BadInput)
    assert str(error).startswith("/mnt/RECOVERY/ESP/norm_boot: ")
    unchanged_but_recovery(world, before)


def test_kernels_that_no_restore_could_compare_end_provisioning() -> None:
    nameless = KERNEL.replace(b"#100 SMP", b"#one SMP")
    world = new_world()
    publish(world.origin, {IMAGE_NAME: build_image(nameless), "norm_boot": nameless})
    before = world.machine.storage()
    error = provision_fails(world)
    assert "build number" in str(error)
    unchanged_but_recovery(world, before)


def test_a_file_that_is_not_there() -> None:
    world = new_world()
    del world.origin.content[f"{BASE_URL}/norm_boot"]
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, NetworkFault)
    assert str(error) == f"{BASE_URL}/norm_boot: status 404"
    unchanged_but_recovery(world, before)


def test_a_file_that_is_another_than_its_hash_says() -> None:
    world = new_world()
    world.origin.content[IMAGE_URL] += b"\0\0\0\0"
    before = world.machine.storage()
    error = provision_fails(world)
    assert isinstance(error, IntegrityFault)
    assert str(error).startswith(
        f"{IMAGE_URL}: SHA-256 is {hashlib.sha256(world.origin.content[IMAGE_URL]).hexdigest()}"
    )
    assert world.machine.tree("RECOVERY").children("/Image") == ()
    unchanged_but_recovery(world, before)


class DyingFactory(FakeFactory):
    """Answers until it is asked for one thing."""

    dies_at = ""

    def _die(self, what: str) -> None:
        if what == self.dies_at:
            raise NetworkFault("http://factory.invalid", f"no answer to {what}")

    @override
    def time_ns(self) -> int:
        self._die("time")
        return super().time_ns()

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: object) -> None:
        self._die("macs")
        super().macs(serial, nics, ())

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        self._die("credentials")
        return super().credentials(serial, endpoint)

    @override
    def document(self, serial: str, name: str, content: str) -> None:
        self._die("document")
        super().document(serial, name, content)


@pytest.mark.parametrize("what", ["time", "macs", "credentials", "document"])
def test_a_server_that_dies_on_the_way_ends_provisioning_before_the_unit_can_start(what: str) -> None:
    world = new_world()
    world.factory = DyingFactory()
    world.factory.dies_at = what
    before = world.machine.storage()
    error = provision_fails(world)
    assert str(error) == f"http://factory.invalid: no answer to {what}"
    unchanged_but_recovery(world, before)
    world.factory.dies_at = ""
    assert settle(world, in_factory=True) == ("network: reboot", "reboot", "switched root")


class FailsOnce:
    """A hook: the operation with this number fails, others do not."""

    def __init__(self, at: int) -> None:
        self._left = at + 1

    def __call__(self, operation: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise DeviceFault(operation, "input/output error")


def failure_of(world: World) -> GprovError | None:
    try:
        world.provision()
    except GprovError as error:
        return error
    return None


def test_a_fault_at_any_operation_is_a_failure_and_the_next_provisioning_succeeds() -> None:
    names = operations_of(copy := new_world(), copy.provision)
    for at, name in enumerate(names):
        world = new_world()
        world.machine.hook = FailsOnce(at)
        error = failure_of(world)
        if error is None:
            # RECOVERY is checked and mounted again, as on every later start.
            assert name in ("check /dev/sdb1", "mount /dev/sdb1", "mount /dev/sdb2")
        else:
            assert "input/output error" in text_of(error), name
            assert world.factory.states in ([], [ProcessState.MFG_STARTED, ProcessState.MFG_FAILED]), name
        world.machine.hook = None
        assert settle(world, in_factory=True)[-1] == "switched root", name
