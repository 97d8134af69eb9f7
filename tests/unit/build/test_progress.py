from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from gprov.apps.host.initramfs.progress import BuildProgress, ObjectCount

LOG = b"make: Entering directory\n  CC      a.o\n  AS      b.o\n  LD      c\n  CC      d.o\n"


@given(st.lists(st.integers(0, len(LOG))))
def test_count_does_not_depend_on_where_the_output_is_cut(cuts: list[int]) -> None:
    count = ObjectCount()
    bounds = [0, *sorted(cuts), len(LOG)]
    for start, end in pairwise(bounds):
        count.feed(LOG[start:end])
    assert count.objects == 3


class Ticker:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_lines_without_a_terminal_are_rate_limited() -> None:
    clock, out = Ticker(), io.StringIO()
    progress = BuildProgress(out, clock)
    with progress.phase("compile"):
        for second in range(1, 26):
            clock.now = float(second)
            progress.tick(second * 10)
    lines = out.getvalue().splitlines()
    assert lines == ["compile", "compile: 0:10, 100 objects", "compile: 0:20, 200 objects", "compile: done in 0:25"]


def test_terminal_line_rewrites_itself() -> None:
    clock, out = Ticker(), Terminal()
    progress = BuildProgress(out, clock)
    with progress.phase("link"):
        clock.now = 61.0
        progress.tick(5)
    assert out.getvalue() == "\r\x1b[Klink\r\x1b[Klink: 1:01, 5 objects\r\x1b[Klink: done in 1:01\n"


def test_failure_is_reported() -> None:
    out = io.StringIO()
    with pytest.raises(KeyboardInterrupt), BuildProgress(out, Ticker()).phase("link"):
        raise KeyboardInterrupt
    assert out.getvalue().splitlines()[-1] == "link: failed in 0:00"
