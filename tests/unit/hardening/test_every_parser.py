"""Every parser of bytes from outside, held to one rule: any bytes become a value or a GprovError, in bounded time and
memory. ``make fuzz`` looks further, guided by coverage."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.catalogue import TARGETS, target
from fuzz.found import Crasher, crashers
from fuzz.harness import SECONDS, Defect, Target, expect, judge
from gprov.domain.errors import GprovError

# This machine may be busy with other things: processor time grows a little then, too.
SLOWER = 3.0
BY_NAME = pytest.mark.parametrize("one", TARGETS, ids=[one.name for one in TARGETS])


def accepted(one: Target, data: bytes) -> bool:
    try:
        one.check(one.seal(data))
    except GprovError:
        return False
    return True


@BY_NAME
def test_real_input_is_understood(one: Target) -> None:
    """A target that refuses everything would show nothing."""
    assert any(accepted(one, seed) for seed in one.seeds())


@BY_NAME
def test_mutations_of_real_input(one: Target) -> None:
    seeds, words = one.seeds(), st.sampled_from(one.words or (b"\0",))
    edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), words | st.binary(max_size=20)), max_size=4)

    @given(seed=st.sampled_from(seeds), edits=edits)
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def run(seed: bytes, edits: list[tuple[float, int, bytes]]) -> None:
        for where, gone, new in edits:
            at = int(where * len(seed))
            seed = seed[:at] + new + seed[at + gone :]
        judge(one, seed, SLOWER)

    run()


@BY_NAME
@given(data=st.binary(max_size=600))
@settings(max_examples=40, deadline=None)
def test_any_bytes(one: Target, data: bytes) -> None:
    judge(one, data, SLOWER)


@BY_NAME
def test_one_piece_again_and_again(one: Target) -> None:
    """What takes more than linear time shows in long inputs: 64 KiB of the same piece, at some places of a real one."""
    for seed in one.seeds():
        for at in {0, len(seed) // 3, len(seed) // 2, len(seed)}:
            for piece in {seed[at : at + 1], seed[at : at + 40], *one.words[:4]} - {b""}:
                judge(one, seed[:at] + piece * ((60 << 10) // len(piece)) + seed[at:], SLOWER)


@pytest.mark.parametrize("found", tuple(crashers()), ids=lambda found: f"{found.target}: {found.was}")
def test_what_was_found_before(found: Crasher) -> None:
    judge(target(found.target), found.data, SLOWER)


def test_the_judge_notices() -> None:
    def spend(data: bytes) -> None:
        while data:
            data = data[: len(data) - 1] + b""
            sum(range(10000))

    def swell(data: bytes) -> None:
        bytes(range(256)) * (1 << 19)

    def fail(data: bytes) -> None:
        raise KeyError(data)

    def differ(data: bytes) -> None:
        expect(data == b"", "not empty")

    for check, error in ((spend, Defect), (swell, Defect), (fail, KeyError), (differ, Defect)):
        with pytest.raises(error):
            judge(Target("x", "x", check, list), b"x" * 20000)
    assert SECONDS == 1.0
