"""The archive writer against an independent reader."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.cpio import Node, archive, device_node, folder, regular, symlink
from gprov.domain.errors import BadInput
from tests.unit.build.newc import read_newc

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12)
SAFE_NAMES = NAMES.filter(lambda name: name not in (".", "..", "TRAILER!!!"))
PERMISSIONS = st.integers(0, 0o7777)


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    """Folders first in depth, then leaves in them."""
    folders = [""]
    nodes = []
    for _ in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from(folders))
        path = f"{parent}/{draw(SAFE_NAMES)}".lstrip("/")
        if path not in folders:
            folders.append(path)
            nodes.append(folder(path, draw(PERMISSIONS)))
    taken = set(folders)
    for _ in range(draw(st.integers(0, 8))):
        path = f"{draw(st.sampled_from(folders))}/{draw(SAFE_NAMES)}".lstrip("/")
        if path not in taken:
            taken.add(path)
            nodes.append(draw(leaves(path)))
    return draw(st.permutations(nodes))


def leaves(path: str) -> st.SearchStrategy[Node]:
    numbers = st.integers(0, 0xFFFF)
    return st.one_of(
        st.builds(lambda content, mode: regular(path, content, mode), st.binary(max_size=50), PERMISSIONS),
        st.builds(lambda target: symlink(path, target), SAFE_NAMES),
        st.builds(lambda kind, a, b: device_node(path, kind, a, b), st.sampled_from("bc"), numbers, numbers),
    )


@given(trees())
def test_reader_finds_every_node_again(nodes: list[Node]) -> None:
    members = read_newc(archive(nodes))
    found = {
        member.name.decode(): (member.fields[1], member.content, (member.fields[9], member.fields[10]))
        for member in members
    }
    assert found == {node.path: (node.mode, node.content, node.device) for node in nodes}
    assert len(members) == len(nodes)


@given(trees())
def test_folder_comes_before_its_content(nodes: list[Node]) -> None:
    names = [member.name.decode() for member in read_newc(archive(nodes))]
    for index, name in enumerate(names):
        parent = name.rpartition("/")[0]
        assert not parent or parent in names[:index]


@given(trees(), st.randoms())
def test_order_of_nodes_does_not_change_the_bytes(nodes: list[Node], random: object) -> None:
    assert archive(nodes) == archive(list(reversed(nodes)))


@given(trees())
def test_owner_is_root_and_the_date_is_fixed(nodes: list[Node]) -> None:
    for member in read_newc(archive(nodes)):
        _inode, _mode, uid, gid, _links, mtime = member.fields[:6]
        assert (uid, gid, mtime) == (0, 0, 0)


@given(trees())
def test_inode_numbers_are_unique(nodes: list[Node]) -> None:
    # Equal numbers would make the kernel hard-link the files.
    inodes = [member.fields[0] for member in read_newc(archive(nodes))]
    assert len(set(inodes)) == len(inodes)


def test_every_bad_node_is_reported() -> None:
    nodes = [
        regular("/absolute", b""),
        regular("a/../b", b""),
        regular("orphan/file", b""),
        symlink("empty", ""),
        Node("socket", stat.S_IFSOCK | 0o600),
        regular("twice", b"1"),
        regular("twice", b"2"),
        regular("TRAILER!!!", b""),
        regular("n" * 5000, b""),
        device_node("device", "c", -1, 0),
    ]
    with pytest.raises(BadInput) as caught:
        archive(nodes)
    places = [problem.place for problem in caught.value.problems]
    for node in nodes:
        assert node.path in places


def test_empty_archive_is_only_the_trailer() -> None:
    assert read_newc(archive([])) == []
