"""Tables that real firmware makes: SeaBIOS in QEMU puts them into memory, QMP copies them out."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS, keywords
from gprov.domain.formats.smbios.memory import installed_memory
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import identify

PROGRAMS = ("qemu-system-x86_64", "dmidecode")
pytestmark = [
    pytest.mark.vm,
    pytest.mark.skipif(not all(shutil.which(program) for program in PROGRAMS), reason=f"needs {PROGRAMS}"),
]
DEADLINE = 60.0
SEGMENT, SEGMENT_SIZE = 0xF0000, 0x10000  # where BIOS puts entry points


@contextmanager
def machine(folder: Path, arguments: Sequence[str]) -> Iterator[Path]:
    """A machine that runs nothing but its firmware; gives the path of its QMP socket."""
    path = folder / "qmp"
    argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-display", "none", "-nic", "none"]
    with subprocess.Popen([*argv, "-qmp", f"unix:{path},server=on,wait=off", *arguments]) as qemu:
        try:
            yield path
        finally:
            qemu.kill()


def copy_memory(path: Path, jobs: Sequence[tuple[int, int, Path]]) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DEADLINE)
        connect(connection, path)
        with connection.makefile("rw") as stream:
            for order in [
                {"execute": "qmp_capabilities"},
                *({"execute": "pmemsave", "arguments": pmemsave(*job)} for job in jobs),
            ]:
                stream.write(json.dumps(order) + "\n")
                stream.flush()
                reply = json.loads(stream.readline())
                while "return" not in reply:  # greeting and events
                    assert "error" not in reply, reply
                    reply = json.loads(stream.readline())


def pmemsave(address: int, size: int, file: Path) -> dict[str, object]:
    return {"val": address, "size": size, "filename": str(file)}


def connect(connection: socket.socket, path: Path) -> None:
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            assert time.monotonic() < end, "QEMU does not open its QMP socket"
            time.sleep(0.05)


def entry_point(path: Path, folder: Path, anchor: bytes) -> bytes:
    """Poll the segment until the firmware has written its entry point."""
    end = time.monotonic() + DEADLINE
    while True:
        copy = folder / "segment"
        copy_memory(path, [(SEGMENT, SEGMENT_SIZE, copy)])
        segment = copy.read_bytes()
        for offset in range(0, SEGMENT_SIZE, 16):
            length = segment[offset + (6 if anchor == b"_SM3_" else 5)]
            entry = segment[offset : offset + length]
            if entry.startswith(anchor) and sum(entry) & 0xFF == 0:
                return entry
        assert time.monotonic() < end, "the firmware writes no SMBIOS entry point"
        time.sleep(0.2)


def dump_of(entry: bytes, table: bytes) -> bytes:
    """As ``dmidecode --dump-bin``: the table's address becomes 32, and the checksums follow."""
    changed = bytearray(entry)
    if entry.startswith(b"_SM3_"):
        changed[0x10:0x18] = (32).to_bytes(8, "little")
        changed[0x05] = (changed[0x05] - sum(changed)) & 0xFF
    else:
        changed[0x18:0x1C] = (32).to_bytes(4, "little")
        changed[0x15] = (changed[0x15] - sum(changed[0x10:0x1F])) & 0xFF
        changed[0x04] = (changed[0x04] - sum(changed)) & 0xFF
    return bytes(changed).ljust(32, b"\0") + table


SYSTEM = "type=1,manufacturer=GPROV_QEMU,product=mfg_test,serial=QEMU01234,uuid=00112233-4455-6677-8899-aabbccddeeff"


@pytest.mark.parametrize(("kind", "anchor"), [("32", b"_SM_"), ("64", b"_SM3_")])
@pytest.mark.parametrize("board", ["", "type=2,manufacturer=GPROV_QEMU,product=mfg_test_ipmi,serial=BOARD7"])
def test_firmware_of_qemu(kind: str, anchor: bytes, board: str, tmp_path: Path) -> None:
    arguments = ["-machine", f"pc,smbios-entry-point-type={kind}", "-m", "384", "-smp", "2,sockets=2"]
    arguments += ["-smbios", SYSTEM, *(["-smbios", board] if board else [])]
    with machine(tmp_path, arguments) as path:
        entry = entry_point(path, tmp_path, anchor)
        wide = anchor == b"_SM3_"
        size = int.from_bytes(entry[0x0C:0x10] if wide else entry[0x16:0x18], "little")
        address = int.from_bytes(entry[0x10:0x18] if wide else entry[0x18:0x1C], "little")
        copy_memory(path, [(address, size, tmp_path / "table")])
    raw = (tmp_path / "table").read_bytes()
    dump = tmp_path / "dump"
    dump.write_bytes(dump_of(entry, raw))

    table, dumped = parse_table(raw), parse_table(dump.read_bytes())
    assert table.problems == dumped.problems == ()
    assert table.structures == dumped.structures
    assert dict(keywords(dumped)) == {name: printed(dump, name) for name in KEYWORDS}
    assert keywords(dumped)["system-uuid"] == ("00112233-4455-6677-8899-aabbccddeeff",)
    assert installed_memory(table) == 384 << 20

    unit = identify(table, default_table())
    assert unit.platform.code_name == ("QEMU-mfg-test-ipmi" if board else "QEMU-mfg-test")
    assert unit.serial == "QEMU01234"


def printed(dump: Path, name: str) -> tuple[str, ...]:
    done = subprocess.run(
        ["dmidecode", "--from-dump", str(dump), "-s", name], capture_output=True, text=True, timeout=60, check=True
    )
    return tuple(done.stdout.splitlines())
