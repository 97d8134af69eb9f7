from __future__ import annotations

import pytest

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.initramfs.applets import add_applets
from gprov.apps.host.initramfs.builds import add_ca
from gprov.apps.host.initramfs.copies import check_interpreters
from gprov.apps.host.initramfs.cpio import archive, folder, regular, symlink
from gprov.apps.host.initramfs.parts import CONFIGURATION, Part, PartKind, report_lines
from gprov.apps.host.initramfs.rootfs import RootTree, inside
from gprov.domain.errors import BadInput
from gprov.domain.unit.trust import BUILT_IN, OwnCa, parse_ca
from gprov.ports.process import Completed

TAR = Part(PartKind.PROGRAM, "tar")
OTHER = Part(PartKind.PROGRAM, "other")


def test_folders_appear_with_their_content() -> None:
    tree = RootTree()
    tree.add(regular("etc/deep/file", b"x"), TAR)
    nodes = {node.path: node for node in tree.finish()}
    assert nodes["etc"].is_folder
    assert nodes["etc/deep"].is_folder
    assert archive(tree.finish())


def test_declared_folder_replaces_an_implicit_one() -> None:
    tree = RootTree()
    tree.add(regular("root/file", b""), TAR)
    tree.add(folder("root", 0o700), CONFIGURATION)
    assert next(node for node in tree.finish() if node.path == "root") == folder("root", 0o700)


def test_different_nodes_at_one_path() -> None:
    tree = RootTree()
    tree.add(regular("usr/bin/tar", b"1"), TAR)
    tree.add(regular("usr/bin/tar", b"1"), OTHER)
    tree.add(symlink("usr/bin/tar", "busybox"), CONFIGURATION)
    with pytest.raises(BadInput, match=r"/usr/bin/tar.*tar \(programs\)"):
        tree.finish()


def test_sizes_by_component_largest_first() -> None:
    tree = RootTree()
    tree.add(regular("a", b"1"), OTHER)
    tree.add(regular("b", b"12"), TAR)
    tree.add(regular("c", bytes(100)), TAR)
    first = tree.sizes()[0]
    assert (first.part, first.size, first.files) == (TAR, 102, 2)
    assert next(each.size for each in tree.sizes() if each.part == OTHER) == 1


@pytest.mark.parametrize(
    ("host", "there"),
    [
        ("/lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
        ("/bin/tar", "usr/bin/tar"),
        ("/usr/lib/x.so", "usr/lib/x.so"),
        ("/libexec/x", "libexec/x"),
        ("/bin", "bin"),
    ],
)
def test_merged_usr(host: str, there: str) -> None:
    assert inside(host) == there


def with_busybox() -> FakeProcesses:
    return FakeProcesses({"busybox": lambda argv, env, stdin: Completed(0, b"[\nls\nmdadm\ntar\nsh\n", b"")})


def test_applets_become_commands_where_no_program_has_the_name() -> None:
    tree = RootTree()
    for path in ("usr/bin/busybox", "usr/bin/tar", "usr/sbin/mdadm"):
        tree.add(regular(path, b"x", 0o755), TAR)
    tree.add(symlink("usr/bin/sh", "busybox"), CONFIGURATION)
    add_applets(tree, with_busybox(), "busybox")
    nodes = {node.path: node for node in tree.finish()}
    assert [nodes[f"usr/bin/{name}"] for name in ("[", "ls")] == [
        symlink("usr/bin/[", "busybox"),
        symlink("usr/bin/ls", "busybox"),
    ]
    assert nodes["usr/bin/tar"] == regular("usr/bin/tar", b"x", 0o755)
    assert "usr/bin/mdadm" not in nodes


def test_the_report_has_a_line_for_each_part_and_the_number_of_applets() -> None:
    tree = RootTree()
    for path in ("usr/bin/busybox", "usr/bin/tar"):
        tree.add(regular(path, b"1234", 0o755), Part(PartKind.PROGRAM, path[8:]))
    tree.add(regular("usr/share/ids", bytes(1500)), Part(PartKind.DATABASE, "/usr/share/ids"))
    add_applets(tree, with_busybox(), "busybox")
    lines = [line.split() for line in report_lines(tree.sizes())]
    assert ["8", "programs:", "2"] in lines
    assert ["4", "tar"] in lines
    assert ["4", "links", "busybox"] in lines
    assert ["1,500", "/usr/share/ids"] in lines


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        (b"#!/bin/sh -e\n", ""),
        (b"#!/usr/bin/env sh\n", ""),
        (b"#!/bin/bash\n", "/bin/bash"),
        (b"#!/usr/bin/env -S python3 -u\n", "python3"),
        (b"echo\n", ""),
    ],
)
def test_scripts_need_their_interpreter_in_the_tree(script: bytes, missing: str) -> None:
    tree = RootTree()
    tree.add(regular("usr/bin/sh", b"x", 0o755), TAR)
    tree.add(regular("opt/data", b"#!/bin/nosuch\n", 0o644), TAR)
    tree.add(regular("opt/tool", script, 0o755), TAR)
    if missing:
        with pytest.raises(BadInput, match=f"/opt/tool: its first line names {missing}, which"):
            check_interpreters(tree)
    else:
        check_interpreters(tree)


def test_applets_of_a_program_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="busybox"):
        add_applets(RootTree(), with_busybox(), "busybox")


def test_the_ca_is_where_units_look_for_it() -> None:
    ca = OwnCa(b"\x30\x81\x90" + bytes(144))
    tree = RootTree()
    add_ca(tree, ca)
    node = next(node for node in tree.finish() if node.path == "etc/gprov/ca.pem")
    assert parse_ca(BUILT_IN, node.content) == ca
