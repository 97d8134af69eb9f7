"""What the Linux adapter asks of mdadm, and what it reads of sysfs and superblocks: on files in place of devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.adapters.linux.disk.arrays import MdArrays
from gprov.domain.disk.arrays import RunningArray
from gprov.domain.disk.arrayspec import array_spec
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, ToolFailed, ToolMissing
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.platform.model import RaidLevel
from gprov.ports.process import Completed

UUID = "01234567-89ab-cdef-0246-8ace13579bdf"
OK = Completed(0, b"", b"")


class Sysfs:
    """As much of /sys as the adapter looks at, with an mdadm that changes it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.block = root / "class" / "block"
        self.block.mkdir(parents=True)
        self.parameters = root / "module" / "md_mod" / "parameters"
        self.parameters.mkdir(parents=True)
        for name in ("start_ro", "start_dirty_degraded"):
            (self.parameters / name).write_text("0\n")
        for minor, name in enumerate(("sda1", "sdb1", "sdc1")):
            (self.block / name).mkdir()
            (self.block / name / "dev").write_text(f"8:{minor}\n")
        self.fails = False
        self.processes = FakeProcesses({"mdadm": self.mdadm})

    def add(self, name: str, *, state: str = "clean", members: Sequence[str] = ("sda1", "sdb1"), **more: str) -> None:
        folder = self.block / name
        (folder / "md").mkdir(parents=True)
        (folder / "slaves").mkdir()
        (folder / "dev").write_text(f"9:{name.removeprefix('md')}\n")
        attributes = {"array_state": state, "uuid": UUID, "raid_disks": "2", "degraded": "0", "sync_action": "resync"}
        for attribute, text in (attributes | more).items():
            (folder / "md" / attribute).write_text(f"{text}\n")
        for member in members:
            (folder / "slaves" / member).touch()

    def mdadm(self, argv: Sequence[str], _env: Mapping[str, str], _stdin: bytes) -> Completed:
        if argv[1] == "--stop":
            return OK
        if self.fails:
            return Completed(1, b"", b"mdadm: failed to RUN_ARRAY")
        self.add(Path(argv[2]).name)
        return OK

    def adapter(self) -> MdArrays:
        return MdArrays(self.processes, str(self.root))

    def commands(self) -> list[str]:
        return [" ".join(run.argv) for run in self.processes.runs]

    def text(self, path: str) -> str:
        return (self.root / path).read_text().strip()


# Of the first member of a RAID 1 that mdadm 4.2 made under Linux 6.1.
REAL = (Path(__file__).parent / "data" / "md-member.bin").read_bytes()


def device(folder: Path, superblock: bytes, *places: int) -> Path:
    path = folder / "device"
    raw = bytearray(8 << 20)
    for place in places:
        raw[place : place + len(superblock)] = superblock
    path.write_bytes(raw)
    return path


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path / "sys")


def test_what_runs(sysfs: Sysfs) -> None:
    sysfs.add("md126", state="inactive")
    sysfs.add("md125", state="clear")
    sysfs.add("md127", state="read-auto", degraded="1", members=("sdb1",))
    (sysfs.block / "md127p1").mkdir()
    number = DeviceNumber(9, 127)
    expected = RunningArray(
        node="/dev/md127", device=number, uuid=UUID, disks=2, working=1, members=frozenset({DeviceNumber(8, 1)})
    )
    assert sysfs.adapter().running() == (expected,)


def test_an_array_without_redundancy_has_no_degraded_members(sysfs: Sysfs) -> None:
    sysfs.add("md127", degraded="")
    assert sysfs.adapter().running()[0].working == 2


def test_making_a_mirror(sysfs: Sysfs) -> None:
    spec = array_spec("PRIMARY", "gp-unit", bytes.fromhex(UUID.replace("-", "")), RaidLevel.RAID1)
    made = sysfs.adapter().create(spec, ["/dev/sda1", "/dev/sdb1"])
    [command] = sysfs.commands()
    assert command == (
        f"mdadm --create /dev/md127 --config=none --run --metadata=1.2 --uuid={UUID} --homehost=gp-unit --name=PRIMARY"
        " --level=1 --raid-devices=2 --bitmap=internal --force /dev/sda1 /dev/sdb1"
    )
    assert made.node == "/dev/md127"
    assert sysfs.text("module/md_mod/parameters/start_ro") == "1"
    assert sysfs.text("class/block/md127/md/sync_action") == "frozen"


def test_making_an_array_that_has_nothing_to_synchronise(sysfs: Sysfs) -> None:
    sysfs.add("md127")
    spec = array_spec("PRIMARY", "gp-unit", bytes.fromhex(UUID.replace("-", "")), RaidLevel.RAID0)
    made = sysfs.adapter().create(spec, ["/dev/sda1", "/dev/sdb1"])
    assert made.node == "/dev/md126"
    assert "--bitmap" not in sysfs.commands()[0]
    assert sysfs.text("class/block/md126/md/sync_action") == "resync"


@pytest.fixture
def member(tmp_path: Path) -> str:
    return str(device(tmp_path, REAL, 4096))


def test_starting_one(sysfs: Sysfs, member: str) -> None:
    started = sysfs.adapter().assemble(UUID, [member])
    assert sysfs.commands() == [f"mdadm --assemble /dev/md127 --config=none --run --uuid={UUID} {member}"]
    assert started.uuid == UUID
    for name in ("start_ro", "start_dirty_degraded"):
        assert sysfs.text(f"module/md_mod/parameters/{name}") == "1"


def test_what_does_not_start_is_not_left_half_assembled(sysfs: Sysfs, member: str) -> None:
    sysfs.fails = True
    with pytest.raises(ToolFailed, match="exit status 1"):
        sysfs.adapter().assemble(UUID, [member])
    assert sysfs.commands()[-1] == "mdadm --stop /dev/md127"


def test_mdadm_is_not_believed_without_an_array(sysfs: Sysfs, member: str) -> None:
    sysfs.processes.programs["mdadm"] = lambda *_: OK
    with pytest.raises(DeviceFault, match="is not running"):
        sysfs.adapter().assemble(UUID, [member])


def test_members_of_others_are_refused_before_anything_is_started(sysfs: Sysfs, member: str, tmp_path: Path) -> None:
    blank = tmp_path / "blank"
    blank.write_bytes(bytes(1 << 20))
    for uuid, nodes in (("ffffffff-89ab-cdef-0246-8ace13579bdf", [member]), (UUID, [member, str(blank)])):
        with pytest.raises(DeviceFault, match=f"not a member of array {uuid}"):
            sysfs.adapter().assemble(uuid, nodes)
    assert sysfs.commands() == []


def test_without_mdadm(sysfs: Sysfs) -> None:
    sysfs.processes.programs.clear()
    with pytest.raises(ToolMissing):
        sysfs.adapter().stop(
            RunningArray(node="/dev/md127", device=DeviceNumber(9, 127), uuid=UUID, disks=2, working=2)
        )


def test_without_md_in_the_kernel(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing):
        MdArrays(FakeProcesses(), str(tmp_path)).running()
    spec = array_spec("PRIMARY", "gp-unit", bytes(16), RaidLevel.RAID1)
    with pytest.raises(DeviceMissing, match="start_ro"):
        MdArrays(FakeProcesses(), str(tmp_path)).create(spec, ["/dev/sda1", "/dev/sdb1"])


def test_what_mdadm_wrote_is_read(sysfs: Sysfs, tmp_path: Path) -> None:
    record = sysfs.adapter().examine(str(device(tmp_path, REAL, 4096)))
    assert record is not None
    assert (record.array, record.name) == ("01234567-89ab-cdef-0246-8ace13579bdf", "gp-lab0001:PRIMARY")
    assert (record.level, record.disks, record.slot, record.active) == (1, 2, 0, frozenset({0, 1}))
    assert (record.events, record.rebuilding, record.clean) == (15, False, False)


def test_what_is_no_member(sysfs: Sysfs, tmp_path: Path) -> None:
    assert sysfs.adapter().examine(str(device(tmp_path, b""))) is None
    with pytest.raises(BadInput, match="super_offset"):
        sysfs.adapter().examine(str(device(tmp_path, REAL, 0)))
    with pytest.raises(DeviceMissing):
        sysfs.adapter().examine(str(tmp_path / "none"))
    (tmp_path / "small").write_bytes(b"x")
    assert sysfs.adapter().examine(str(tmp_path / "small")) is None


def test_superblocks_are_overwritten_wherever_they_are_and_nothing_else(sysfs: Sysfs, tmp_path: Path) -> None:
    tail = (8 << 20) - 8192
    path = device(tmp_path, REAL, 4096, tail)
    raw = bytearray(path.read_bytes())
    raw[0:4] = b"data"
    raw[8192:8196] = b"data"
    path.write_bytes(raw)
    sysfs.adapter().zero_superblocks([str(path)])
    raw[4096:8192] = bytes(4096)
    raw[tail : tail + 4096] = bytes(4096)
    assert path.read_bytes() == raw
    with pytest.raises(DeviceMissing):
        sysfs.adapter().zero_superblocks([str(tmp_path / "none")])
