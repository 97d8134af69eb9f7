"""The dynamic section, on files built here byte by byte."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.elf import elf_dependencies, is_elf
from gprov.apps.host.initramfs.libraries import Libraries
from gprov.apps.host.initramfs.sources import SourceSystem
from gprov.apps.host.lab.program32 import program_32
from gprov.domain.errors import BadInput, DeviceMissing

LOADER = "/lib64/ld-linux-x86-64.so.2"
BASE = 0x400000
PROGRAM_HEADERS = 64


def elf(libraries: list[str], run_path: str = "", interpreter: str = LOADER) -> bytes:
    """A file with one load segment that maps everything at BASE, a dynamic section and an interpreter."""
    strings = b"\0"
    entries = []
    for name in libraries:
        entries.append((1, len(strings)))
        strings += name.encode() + b"\0"
    if run_path:
        entries.append((29, len(strings)))
        strings += run_path.encode() + b"\0"
    loader_offset = PROGRAM_HEADERS + 3 * 56
    strings_offset = loader_offset + len(interpreter) + 1
    dynamic_offset = strings_offset + len(strings)
    entries += [(5, BASE + strings_offset), (0, 0), (1, 9999)]  # what follows the end does not count
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    size = dynamic_offset + len(dynamic)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, PROGRAM_HEADERS, 0, 0, 64, 56, 3, 0, 0, 0)
    segments = b"".join(
        struct.pack("<IIQQQQQQ", kind, 4, offset, BASE + offset, 0, length, length, 1)
        for kind, offset, length in (
            (1, 0, size),
            (3, loader_offset, len(interpreter) + 1),
            (2, dynamic_offset, len(dynamic)),
        )
    )
    return header + segments + interpreter.encode() + b"\0" + strings + dynamic


def test_dependencies_in_order() -> None:
    found = elf_dependencies(elf(["libb.so.1", "liba.so.2"], "$ORIGIN/../lib:/opt/lib"), "program")
    assert found.libraries == ("libb.so.1", "liba.so.2")
    assert found.run_path == ("$ORIGIN/../lib", "/opt/lib")
    assert found.interpreter == LOADER
    assert found.bits == 64


def test_static_program_has_no_dependencies() -> None:
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)
    found = elf_dependencies(header, "busybox")
    assert (found.interpreter, found.libraries) == ("", ())


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        elf_dependencies(content, "file")


def test_a_32_bit_program() -> None:
    found = elf_dependencies(program_32(), "vendor's")
    assert (found.bits, found.interpreter, found.libraries) == (32, "", ())


def test_the_same_for_another_processor_is_refused() -> None:
    arm = program_32()[:18] + b"\x28" + program_32()[19:]
    with pytest.raises(BadInput, match="x86"):
        elf_dependencies(arm, "arm")


def test_script_is_not_elf() -> None:
    assert not is_elf(b"#!/bin/sh\n")


@given(st.integers(0, 500))
def test_cut_file_is_an_error_and_not_a_crash(size: int) -> None:
    whole = elf(["liba.so.1"])
    if size < len(whole) - 32:  # the entries behind the end of the dynamic section may be missing
        with pytest.raises(BadInput):
            elf_dependencies(whole[:size], "cut")


@given(st.data())
def test_damaged_file_is_an_error_or_a_result(data: st.DataObject) -> None:
    content = bytearray(elf(["liba.so.1"], "/x"))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadInput):  # no other exception
        elf_dependencies(bytes(content), "damaged")


def test_closure_of_libraries(tmp_path: Path) -> None:
    private = tmp_path / "package" / "own"
    private.mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    for path, content in {
        "lib/liba.so.1": elf(["libb.so.1"], interpreter=""),
        "lib/libb.so.1.0": elf(["liba.so.1"], interpreter=""),  # each needs the other
        "package/own/libown.so": elf(["libb.so.1"], interpreter=""),
        "package/extension.so": elf(["libown.so"], "$ORIGIN/own", interpreter=""),
        "script": b"#!/bin/sh\n",
    }.items():
        (tmp_path / path).write_bytes(content)
    (tmp_path / "lib/libb.so.1").symlink_to("libb.so.1.0")
    libraries = Libraries(SourceSystem(search_path=(str(tmp_path / "lib"),)))
    libraries.add_dependencies_of(str(tmp_path / "package/extension.so"))
    libraries.add_dependencies_of(str(tmp_path / "script"))
    files = {target: Path(source).name for target, source in libraries.files().items()}
    assert files == {
        "usr/lib/x86_64-linux-gnu/liba.so.1": "liba.so.1",
        "usr/lib/x86_64-linux-gnu/libb.so.1": "libb.so.1.0",
        f"{str(private).lstrip('/')}/libown.so": "libown.so",
    }


def test_missing_library_names_the_program(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(elf(["libgone.so.9"], interpreter=""))
    with pytest.raises(DeviceMissing, match=r"libgone.so.9.*program"):
        Libraries(SourceSystem(search_path=(str(tmp_path),))).add_dependencies_of(str(program))
    with pytest.raises(DeviceMissing, match="package libgone9"):
        Libraries(SourceSystem(search_path=(str(tmp_path),))).add("libgone.so.9", "libgone9")
