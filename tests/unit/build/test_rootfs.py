from __future__ import annotations

import pytest

from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.initramfs.applets import add_applets
from gprov.apps.host.initramfs.cpio import archive, folder, regular, symlink
from gprov.apps.host.initramfs.rootfs import RootTree, inside
from gprov.domain.errors import BadInput
from gprov.ports.process import Completed


def test_folders_appear_with_their_content() -> None:
    tree = RootTree()
    tree.add(regular("etc/deep/file", b"x"), "part")
    nodes = {node.path: node for node in tree.finish()}
    assert nodes["etc"].is_folder
    assert nodes["etc/deep"].is_folder
    assert archive(tree.finish())


def test_declared_folder_replaces_an_implicit_one() -> None:
    tree = RootTree()
    tree.add(regular("root/file", b""), "part")
    tree.add(folder("root", 0o700), "configuration")
    assert next(node for node in tree.finish() if node.path == "root") == folder("root", 0o700)


def test_different_nodes_at_one_path() -> None:
    tree = RootTree()
    tree.add(regular("usr/bin/tar", b"1"), "program tar")
    tree.add(regular("usr/bin/tar", b"1"), "program tar again")
    tree.add(symlink("usr/bin/tar", "busybox"), "configuration")
    with pytest.raises(BadInput, match=r"/usr/bin/tar.*program tar"):
        tree.finish()


def test_sizes_by_component_largest_first() -> None:
    tree = RootTree()
    tree.add(regular("a", b"1"), "small")
    tree.add(regular("b", b"12"), "large")
    tree.add(regular("c", bytes(100)), "large")
    assert next(iter(tree.sizes().items())) == ("large", 102)
    assert tree.sizes()["small"] == 1


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
        tree.add(regular(path, b"x", 0o755), "program")
    tree.add(symlink("usr/bin/sh", "busybox"), "configuration")
    add_applets(tree, with_busybox(), "busybox")
    nodes = {node.path: node for node in tree.finish()}
    assert [nodes[f"usr/bin/{name}"] for name in ("[", "ls")] == [
        symlink("usr/bin/[", "busybox"),
        symlink("usr/bin/ls", "busybox"),
    ]
    assert nodes["usr/bin/tar"] == regular("usr/bin/tar", b"x", 0o755)
    assert "usr/bin/mdadm" not in nodes


def test_applets_of_a_program_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="busybox"):
        add_applets(RootTree(), with_busybox(), "busybox")
