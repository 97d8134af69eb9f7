"""Editing /etc/hosts: one line gets the host name, and every other byte stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.formats.hosts import set_host_name

WITHOUT_OWN = b"# by hand\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n10.0.0.7 files  # \xff\n"

LINES = st.one_of(
    st.sampled_from(
        [
            b"127.0.0.1 localhost",
            b" 127.0.0.1\tlocalhost.localdomain localhost # comment",
            b"127.0.1.1 builder.example builder",
            b"127.0.1.1\tbuilder#x",
            b"127.0.0.1",
            b"# 127.0.1.1 no",
            b"127.0.0.10 other",
            b"::1 localhost",
            b"",
        ]
    ),
    st.binary(max_size=30).filter(lambda line: b"\n" not in line),
)
FILES = st.builds(
    lambda lines, end: b"\n".join(lines) + end, st.lists(LINES, max_size=8), st.sampled_from([b"", b"\n"])
)


def names_by_address(content: bytes) -> list[tuple[bytes, list[bytes]]]:
    lines = [line.partition(b"#")[0].split() for line in content.replace(b"\r", b"\n").split(b"\n")]
    return [(words[0], words[1:]) for words in lines if words]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            WITHOUT_OWN, WITHOUT_OWN.replace(b"\tlocalhost", b"\tgp-s1 localhost"), id="the line of 127.0.0.1"
        ),
        pytest.param(
            WITHOUT_OWN + b"127.0.1.1  builder.example\tbuilder   # old\r\n",
            WITHOUT_OWN + b"127.0.1.1  gp-s1   # old\r\n",
            id="the line of 127.0.1.1",
        ),
        pytest.param(b"127.0.0.1 localhost gp-s1\n", b"127.0.0.1 localhost gp-s1\n", id="it is there"),
        pytest.param(b"#127.0.0.1 x\n::1 localhost", b"#127.0.0.1 x\n::1 localhost\n127.0.0.1\tgp-s1\n", id="no line"),
        pytest.param(b"127.0.0.11 x\n", b"127.0.0.11 x\n127.0.0.1\tgp-s1\n", id="a longer address"),
        pytest.param(b"", b"127.0.0.1\tgp-s1\n", id="empty"),
    ],
)
def test_one_line_is_edited(before: bytes, after: bytes) -> None:
    assert set_host_name(before, "gp-s1") == after


def test_an_image_without_the_file_gets_one_with_localhost() -> None:
    assert names_by_address(set_host_name(None, "gp-s1")) == [
        (b"127.0.0.1", [b"gp-s1", b"localhost"]),
        (b"::1", [b"localhost", b"ip6-localhost", b"ip6-loopback"]),
    ]


@given(FILES)
def test_any_file_keeps_all_lines_but_one_and_is_edited_once(before: bytes) -> None:
    after = set_host_name(before, "gp-s1")
    old, new = before.split(b"\n"), after.split(b"\n")
    changed = [(was, now) for was, now in zip(old, new, strict=False) if was != now]
    assert len(changed) <= 1
    assert len(new) in (len(old), len(old) + 1, len(old) + 2 - before.endswith(b"\n"))
    assert any(address.startswith(b"127.0.") and b"gp-s1" in names for address, names in names_by_address(after))
    assert set_host_name(after, "gp-s1") == after
