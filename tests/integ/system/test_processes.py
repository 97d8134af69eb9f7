"""Running programs of this machine: what they get, what is kept of them, and when they are ended."""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.system.exchange import MOST_OUTPUT
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.errors import DeadlineExceeded, ToolFailed

PROCESSES = SystemProcesses()
# Copies its input to both streams, in turn, so that a reader of only one of them would block it.
BOTH = "import os\nwhile chunk := os.read(0, 5000):\n    os.write(1, chunk)\n    os.write(2, chunk[::-1])\n"


@settings(max_examples=15, deadline=None)
@given(seed=st.binary(min_size=1, max_size=50), times=st.integers(0, 20_000))
def test_a_program_gets_its_input_and_both_streams_are_kept(seed: bytes, times: int) -> None:
    fed = seed * times
    done = PROCESSES.run([sys.executable, "-c", BOTH], stdin=fed)
    assert done.output == fed
    assert len(done.errors) == len(fed)
    assert sorted(done.errors) == sorted(fed)


def test_a_program_that_does_not_read_its_input_ends_with_its_own_status() -> None:
    assert PROCESSES.run(["sh", "-c", "exit 3"], stdin=bytes(1 << 20), check=False).status == 3


def test_a_program_that_writes_without_end_is_ended_and_takes_no_more_memory_than_that() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ToolFailed, match="yes: wrote more than 64 MiB of output, and was ended"):
        PROCESSES.run(["yes", "x" * 1000])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < 3 * MOST_OUTPUT


@pytest.mark.parametrize("script", ["sleep 600", "exec >&- 2>&-; sleep 600", "sleep 600 & exit 0"])
def test_a_program_is_ended_with_its_children_at_the_deadline(script: str, tmp_path: Path) -> None:
    group = tmp_path / "group"
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        PROCESSES.run(["sh", "-c", f"echo $$ >{group}; {script}"], timeout=0.5)
    assert time.monotonic() - began < 30
    end = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < end:  # members that have ended stay until their parent has noticed it
            os.killpg(int(group.read_text()), 0)
        pytest.fail("a process of the program is left")


def test_a_service_that_a_program_starts_outlives_it(tmp_path: Path) -> None:
    number = tmp_path / "number"
    PROCESSES.run(["sh", "-c", f"sleep 600 >/dev/null 2>&1 & echo $! >{number}"])
    os.kill(int(number.read_text()), 9)  # raises ProcessLookupError if it has ended
