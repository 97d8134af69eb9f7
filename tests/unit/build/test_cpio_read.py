"""Archives are read as they were written; damaged ones are refused."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.cpio import Node, archive, device_node, folder, regular, symlink
from gprov.apps.host.initramfs.cpio_read import read_archive
from gprov.domain.errors import BadInput

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
PATHS = NAMES.filter(lambda name: name not in (".", "..", "TRAILER!!!"))
PERMISSIONS = st.integers(0, 0o7777)
NODES = st.one_of(
    st.builds(regular, PATHS, st.binary(max_size=40), PERMISSIONS),
    st.builds(folder, PATHS, PERMISSIONS),
    st.builds(symlink, PATHS, st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)),
    st.builds(device_node, PATHS, st.sampled_from("bc"), st.integers(0, 255), st.integers(0, 255), PERMISSIONS),
)
TREES = st.lists(NODES, max_size=6, unique_by=lambda node: node.path)
FEW = [folder("a"), regular("a/b", b"12345"), symlink("c", "a/b")]


@given(TREES)
def test_what_is_written_is_read(nodes: list[Node]) -> None:
    assert sorted(read_archive(archive(nodes), "x"), key=lambda node: node.path) == sorted(
        nodes, key=lambda node: node.path
    )


@given(st.data())
def test_damage_is_refused_or_gives_other_nodes(data: st.DataObject) -> None:
    content = bytearray(archive(FEW))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadInput):  # no other exception
        read_archive(bytes(content), "damaged")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "byte 0: the archive ends without its trailer"),
        (archive(FEW)[:-124], "the archive ends without its trailer"),
        (b"CONFIG_A=y", 'byte 0: no header of a cpio archive ("newc")'),
        (b"0707", "byte 0: the archive ends without its trailer"),
        (b"070707" + bytes(200), 'byte 0: no header of a cpio archive ("newc")'),
        (b"070701" + b"g" * 104, "byte 0: a header with other than hexadecimal digits"),
        (archive(FEW)[:6] + b"F" * 104 + bytes(50), "byte 0: a member that is cut off"),
    ],
)
def test_what_is_no_archive(content: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        read_archive(content, "x")
