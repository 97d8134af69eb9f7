"""The rule for every parser of external bytes: any bytes become a value or a GprovError, in bounded time and memory.
``make fuzz`` tests the same targets guided by coverage."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.catalogue import TARGETS, target
from fuzz.harness import SECONDS, Defect, Target, expect, run_target
from fuzz.regressions import Regression, regressions
from gprov.domain.errors import GprovError

# On a busy machine processor time grows, too.
TIME_FACTOR = 3.0
BY_NAME = pytest.mark.parametrize("one", TARGETS, ids=[one.name for one in TARGETS])


def accepted(one: Target, data: bytes) -> bool:
    try:
        one.check(one.fix_checksums(data))
    except GprovError:
        return False
    return True


@BY_NAME
def test_valid_input_is_accepted(one: Target) -> None:
    """A target that refused all input would test nothing."""
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
        run_target(one, seed, TIME_FACTOR)

    run()


@BY_NAME
@given(data=st.binary(max_size=600))
@settings(max_examples=40, deadline=None)
def test_any_bytes(one: Target, data: bytes) -> None:
    run_target(one, data, TIME_FACTOR)


@BY_NAME
def test_repeated_pieces_take_linear_time(one: Target) -> None:
    """60 KiB of one piece, inserted into valid input: parsers with more than linear time exceed the limit."""
    for seed in one.seeds():
        for at in {0, len(seed) // 3, len(seed) // 2, len(seed)}:
            for piece in {seed[at : at + 1], seed[at : at + 40], *one.words[:4]} - {b""}:
                run_target(one, seed[:at] + piece * ((60 << 10) // len(piece)) + seed[at:], TIME_FACTOR)


@pytest.mark.parametrize(
    "regression", tuple(regressions()), ids=lambda regression: f"{regression.target}: {regression.symptom}"
)
def test_regressions(regression: Regression) -> None:
    run_target(target(regression.target), regression.data, TIME_FACTOR)


def test_broken_targets_are_detected() -> None:
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
            run_target(Target("x", "x", check, list), b"x" * 20000)
    assert SECONDS == 1.0
