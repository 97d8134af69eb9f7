"""Logs of writes, built here byte by byte as the format says."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.apps.host.lab.writelog import durable, read_log
from gprov.domain.errors import BadInput, DeviceMissing, GprovError

SECTOR = 512
HEAD = struct.pack("<QQQI", 0x6A736677736872, 1, 0, SECTOR).ljust(SECTOR, b"\0")


def entry(sector: int, flags: int = 0, data: bytes = b"", sectors: int | None = None) -> bytes:
    count = len(data) // SECTOR if sectors is None else sectors
    return struct.pack("<QQQQ", sector, count, flags, 0).ljust(SECTOR, b"\0") + data


FLUSH = entry(0, 1)
LOG = b"".join((HEAD, entry(8, data=b"a" * 1024), FLUSH, entry(2, data=b"b" * 512), entry(16, 4, sectors=2048)))


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[bytes], str]:
    def store(content: bytes) -> str:
        (tmp_path / "log").write_bytes(content)
        return str(tmp_path / "log")

    return store


def test_requests_in_their_order(stored: Callable[[bytes], str]) -> None:
    path = stored(LOG)
    first, flush, second, discarded = read_log(path)
    assert (first.offset, first.size, flush.flush, flush.size) == (8 * SECTOR, 1024, True, 0)
    assert (discarded.offset, discarded.size, discarded.place) == (16 * SECTOR, 1 << 20, None)
    assert second.place is not None
    assert Path(path).read_bytes()[second.place : second.place + second.size] == b"b" * 512
    assert discarded.end == len(LOG)


def test_entries_before_the_last_flush_are_durable(stored: Callable[[bytes], str]) -> None:
    assert durable(read_log(stored(LOG + FLUSH))) == [0, 0, 2, 2, 2, 5]
    assert durable(()) == [0]


def test_an_empty_log(stored: Callable[[bytes], str]) -> None:
    assert read_log(stored(b"")) == ()
    assert read_log(stored(HEAD)) == ()


@pytest.mark.parametrize("length", [1, 20, SECTOR + 1, SECTOR + 31, len(HEAD) + 3 * SECTOR - 1, len(LOG) - 1])
def test_a_log_that_is_cut_short_is_refused(stored: Callable[[bytes], str], length: int) -> None:
    with pytest.raises(BadInput):
        read_log(stored(LOG[:length]))


def test_a_file_of_another_format_is_refused(stored: Callable[[bytes], str], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="super block"):
        read_log(stored(b"QFI\xfb".ljust(4096, b"\0")))
    with pytest.raises(DeviceMissing):
        read_log(str(tmp_path / "none"))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(LOG) - 1), st.integers(0, 255)), max_size=4))
def test_damaged_logs_raise_only_gprov_errors(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(LOG)
    for place, value in changes:
        damaged[place] = value
    path = tmp_path_factory.mktemp("log") / "log"
    path.write_bytes(damaged)
    try:
        entries = read_log(str(path))
    except GprovError:
        return
    assert all(entry.end <= len(LOG) for entry in entries)
