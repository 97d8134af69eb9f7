"""What counts as a difference of versions between two initramfs, and what as a fault."""

from __future__ import annotations

import pytest

from gprov.apps.host.initramfs.compare import Kind, compare
from gprov.apps.host.initramfs.cpio import Node, device_node, folder, regular, symlink
from gprov.apps.host.lab.program32 import program_32
from tests.unit.build.test_elf import elf

HERE, THERE = "here", "there"
LIBRARY = elf(["libb.so.1"], interpreter="")
OTHER_LIBRARY = elf(["libc.so.6"], interpreter="")


def faults(first: list[Node], second: list[Node]) -> list[str]:
    return [f"{each.path}: {each.message}" for each in compare(first, second, (HERE, THERE)).faults]


def kinds(first: list[Node], second: list[Node]) -> set[Kind]:
    return {each.kind for each in compare(first, second, (HERE, THERE)).differences}


def test_the_same_tree_of_debian_and_of_buildroot() -> None:
    debian = [
        regular("init", b"#!/usr/bin/python3.11 -ISB\nimport sys\n", 0o755),
        regular("usr/bin/python3.11", LIBRARY, 0o755),
        regular("usr/lib/x86_64-linux-gnu/libb.so.1", LIBRARY, 0o755),
        folder("usr/lib/python3.11/gprov"),
        regular("usr/lib/python3.11/gprov/table.json", b"{}"),
        symlink("etc/cert.pem", "/usr/lib/python3.11/certifi/cacert.pem"),
    ]
    buildroot = [
        regular("init", b"#!/usr/bin/python3.13 -ISB\nimport sys\n", 0o755),
        regular("usr/bin/python3.13", LIBRARY, 0o755),
        regular("usr/lib/libb.so.1", LIBRARY, 0o755),
        folder("usr/lib/python3.13/gprov"),
        regular("usr/lib/python3.13/gprov/table.json", b"{}"),
        symlink("etc/cert.pem", "/usr/lib/python3.13/certifi/cacert.pem"),
    ]
    result = compare(debian, buildroot, (HERE, THERE))
    assert (result.same, result.differences) == (len(debian), ())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("usr/lib/libb.so.1", Kind.LIBRARY),
        ("usr/lib64/ld-linux-x86-64.so.2", Kind.LIBRARY),
        ("usr/bin/tar", Kind.PROGRAM),
        ("usr/lib/python3.11/gprov/a.pyc", Kind.BYTECODE),
        ("usr/lib/python3.11/os.pyc", Kind.STANDARD_LIBRARY),
        ("usr/lib/python3.11/_ssl.so", Kind.STANDARD_LIBRARY),
        ("usr/lib/python3.11/requests/api.pyc", Kind.MODULE),
        ("usr/lib/python3.11/typing_extensions.pyc", Kind.MODULE),
        ("usr/share/misc/pci.ids", Kind.DATA),
        ("usr/lib/gprov/grub/core.img", Kind.DATA),
        ("etc/passwd", Kind.SPECIFIED),
        ("usr/lib/python3.11/gprov/a.json", Kind.SPECIFIED),
    ],
)
def test_other_content(path: str, kind: Kind) -> None:
    contents = (LIBRARY, OTHER_LIBRARY) if kind in (Kind.LIBRARY, Kind.PROGRAM) else (b"a", b"b")
    assert kinds(*([regular(path, content)] for content in contents)) == {kind}


def test_scripts_have_the_same_content_everywhere() -> None:
    assert faults([regular("opt/x", b"#!/bin/sh\na\n")], [regular("opt/x", b"#!/bin/sh\nb\n")])


@pytest.mark.parametrize(
    "node",
    [
        regular("usr/bin/tar", LIBRARY, 0o755),
        regular("usr/lib/python3.11/gprov/a.pyc", b"a"),
        regular("usr/share/misc/pci.ids", b"a"),
        regular("usr/lib/python3.11/requests/api.pyc", b"a"),
        folder("mnt"),
        symlink("usr/bin/ip", "busybox"),
        device_node("dev/null", "c", 1, 3),
    ],
)
def test_what_has_to_be_on_both_sides(node: Node) -> None:
    path = node.path.replace("python3.11", "python3")
    assert faults([node], []) == [f"{path}: only in here"]
    assert faults([], [node]) == [f"{path}: only in there"]


@pytest.mark.parametrize(
    ("path", "beside"),
    [
        ("usr/lib/libz.so.1", "usr/lib/libc.so.6"),
        ("usr/lib/python3.11/_ssl.so", "usr/lib/python3.11/os.pyc"),
        ("usr/lib/python3.11/requests/new.pyc", "usr/lib/python3.11/requests/api.pyc"),
    ],
)
def test_what_another_version_may_have_besides(path: str, beside: str) -> None:
    assert faults([regular(path, b"a"), regular(beside, b"b")], [regular(beside, b"b")]) == []


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (regular("a", b"", 0o644), regular("a", b"", 0o600), "a: permissions 0644 and 0600"),
        (regular("a", b""), folder("a"), "a: a file and a folder"),
        (symlink("a", "b"), symlink("a", "c"), "a: 1 and 1 bytes"),
        (device_node("a", "c", 5, 1), device_node("a", "c", 5, 2), "a: devices (5, 1) and (5, 2)"),
        (device_node("a", "c", 5, 1), device_node("a", "b", 5, 1), "a: a character device and a block device"),
    ],
)
def test_other_nodes(first: Node, second: Node, message: str) -> None:
    assert faults([first], [second]) == [message]


def test_libraries_of_32_bits_are_not_taken_for_those_of_64() -> None:
    narrow = program_32()
    first = [regular("usr/lib/x86_64-linux-gnu/libc.so.6", LIBRARY, 0o755), regular("usr/lib/libc.so.6", narrow, 0o755)]
    second = [regular("usr/lib/libc.so.6", LIBRARY, 0o755)]
    result = compare(first, second, (HERE, THERE))
    assert [(each.path, each.message) for each in result.differences] == [
        ("usr/lib/libc.so.6 (32-bit)", "only in here")
    ]
    assert result.faults == ()
