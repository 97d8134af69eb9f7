"""The archive writer against GNU cpio."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.cpio import Node, archive, device_node, folder, regular, symlink
from gprov.apps.host.initramfs.cpio_read import read_archive

PROCESSES = SystemProcesses()
NAMES = st.text("abcäß .-_~", min_size=1, max_size=8).filter(lambda name: name.strip(". ") == name)

pytestmark = pytest.mark.skipif(shutil.which("cpio") is None, reason="needs GNU cpio")


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    nodes: dict[str, Node] = {}
    for top in draw(st.lists(NAMES, max_size=4, unique=True)):
        nodes[top] = folder(top, draw(st.sampled_from([0o700, 0o755, 0o1777])))
        for name in draw(st.lists(NAMES, max_size=4, unique=True)):
            path = f"{top}/{name}"
            content = draw(st.binary(max_size=9))
            file = regular(path, content, draw(st.sampled_from([0o600, 0o644, 0o755])))
            nodes[path] = draw(st.sampled_from([file, symlink(path, name)]))
    return list(nodes.values())


@settings(max_examples=40, deadline=None)
@given(trees())
def test_cpio_lists_all_nodes(nodes: list[Node]) -> None:
    listed = PROCESSES.run(("cpio", "--list", "--quiet"), stdin=archive(nodes)).output
    names = [line.decode() for line in listed.splitlines()]
    assert names == sorted((node.path for node in nodes), key=lambda path: path.split("/"))


@settings(max_examples=40, deadline=None)
@given(trees())
def test_cpio_unpacks_the_same_tree(nodes: list[Node]) -> None:
    with tempfile.TemporaryDirectory() as target:
        PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=archive(nodes), cwd=target)
        found = {}
        for top, folders, files in os.walk(target):
            for name in (*folders, *files):
                path = os.path.join(top, name)
                found[os.path.relpath(path, target)] = facts(path)
    assert found == {node.path: (node.mode, node.content) for node in nodes}


def facts(path: str) -> tuple[int, bytes]:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return mode, os.readlink(path).encode()
    if stat.S_ISREG(mode):
        with open(path, "rb") as file:
            return mode, file.read()
    return mode, b""


def test_device_nodes() -> None:
    content = archive([folder("dev"), device_node("dev/console", "c", 5, 1), device_node("dev/vda", "b", 254, 16)])
    listed = PROCESSES.run(("cpio", "--list", "--verbose", "--numeric-uid-gid", "--quiet"), stdin=content).output
    lines = [" ".join(line.split()) for line in listed.decode().splitlines()]
    assert lines[1].startswith("crw------- 1 0 0 5, 1")
    assert lines[2].startswith("brw------- 1 0 0 254, 16")


def test_an_archive_of_the_tool_is_read_with_links_and_root_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "c").symlink_to("a")
    (tmp_path / "d").mkdir(0o750)
    command = ("cpio", "--create", "--format=newc", "--quiet")
    content = PROCESSES.run(command, stdin=b".\n./a\n./b\n./c\n./d\n", cwd=str(tmp_path)).output
    nodes = {node.path: node for node in read_archive(content, "x")}
    assert nodes["a"].content == nodes["b"].content == b"content"
    assert nodes["c"] == symlink("c", "a")
    assert nodes["d"] == folder("d", 0o750)
    assert sorted(nodes) == ["a", "b", "c", "d"]


def test_a_compressed_archive_that_is_cut_off_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = subprocess.run(["zstd", "--stdout", "--quiet"], input=archive([]), capture_output=True, check=True).stdout
    (tmp_path / "whole").write_bytes(whole)
    (tmp_path / "cut").write_bytes(whole[:-9])
    assert main(["build", "contents", str(tmp_path / "whole")]) == 0
    assert main(["build", "contents", str(tmp_path / "cut")]) == 1
    assert capsys.readouterr().err == f"gprov: {tmp_path}/cut: is damaged: zstd cannot decompress it\n"
