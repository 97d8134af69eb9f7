"""Samples, canaries and verdicts: nothing that was not examined counts as good."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.erase.canaries import BLOCK, canary_extents, former_content
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.outcome import Pass, Verdict, Verification, VerificationMethod
from gprov.domain.erase.patterns import Fill
from gprov.domain.erase.sampling import blocks_needed, confidence, sampled_extents
from gprov.domain.erase.verification import (
    BlockAfter,
    ReadBack,
    canary_verification,
    full_verification,
    sample_verification,
    verdict,
)
from gprov.domain.estimate import Estimate

SIZE = 1 << 20
WHOLE = (Extent(0, SIZE),)
PASS = Pass(pattern=Fill(0), written=SIZE, seconds=1.0)


@given(st.integers(1, 1 << 24), st.integers(1, 40), st.sampled_from([512, 4096]), st.text("abc", max_size=4))
def test_a_sample_has_the_stated_blocks(size: int, count: int, block: int, seed: str) -> None:
    found = sampled_extents(seed, size, count, block)
    assert found == merged(found)
    assert all(extent.start % block == 0 and extent.end <= size for extent in found)
    assert sum(-(-extent.size // block) for extent in found) == min(count, -(-size // block))


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_the_confidence_is_that_of_a_simulation(share: float) -> None:
    """A disk of which exactly the share differs passes unnoticed as often as stated, or less often."""
    blocks, count, runs = 2000, 30, 2000
    unnoticed = 0
    for run in range(runs):
        bad = set(random.Random(run).sample(range(blocks), int(blocks * share)))
        sample = sampled_extents(str(run), blocks, count, 1)
        unnoticed += not any(at in bad for extent in sample for at in range(extent.start, extent.end))
    assert unnoticed / runs == pytest.approx(1 - confidence(count, share), abs=0.04)


@given(st.floats(0.5, 0.9999), st.floats(1e-6, 0.5))
def test_the_needed_blocks_suffice_and_are_not_too_many(wanted: float, share: float) -> None:
    count = blocks_needed(wanted, share)
    assert confidence(count, share) >= wanted
    assert count == 1 or confidence(count - 2, share) < wanted


@given(st.integers(512, 1 << 45).map(lambda size: size - size % 512), st.text("abc", max_size=4))
def test_canaries_are_at_both_ends_and_in_each_strip(size: int, seed: str) -> None:
    found = canary_extents(seed, size)
    assert found[0].start == 0
    assert found[-1].end == size
    assert total_size(merged(found)) == total_size(found)
    assert len(found) <= 4098
    assert len(found) >= min(4096, size >> 30)


def test_canaries_of_another_run_are_elsewhere() -> None:
    assert canary_extents("a", 1 << 40) != canary_extents("b", 1 << 40)


GOOD = ReadBack(wanted=WHOLE, examined=SIZE)
BAD = Extent(512, 1024)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (GOOD, Verdict.ERASED),
        (replace(GOOD, different=(BAD,)), Verdict.PARTIAL),
        (replace(GOOD, examined=SIZE - 512, unreadable=(BAD,)), Verdict.PARTIAL),
        (replace(GOOD, different=WHOLE), Verdict.FAILED),
        (replace(GOOD, error="device is gone"), Verdict.FAILED),
        (replace(GOOD, examined=SIZE - 512), Verdict.FAILED),
        (replace(GOOD, examined=0), Verdict.FAILED),
        (replace(GOOD, examined=SIZE - 512, wanted=(Extent(0, SIZE - 512),)), Verdict.FAILED),
    ],
)
def test_verdicts_of_a_full_read_back(found: ReadBack, expected: Verdict) -> None:
    verification = full_verification(SIZE, found)
    assert verdict(completed=True, passes=(PASS,), verification=verification) is expected
    assert verification.passed == (expected is Verdict.ERASED)
    assert verdict(completed=False, passes=(PASS,), verification=verification) is Verdict.FAILED
    broken = replace(PASS, error="device is gone")
    assert verdict(completed=True, passes=(broken,), verification=verification) is Verdict.FAILED


def test_unwritten_ranges_are_never_erased() -> None:
    passes = (replace(PASS, unwritten=(BAD,)),)
    assert verdict(completed=True, passes=passes, verification=full_verification(SIZE, GOOD)) is Verdict.PARTIAL


def test_no_verification_is_a_failure() -> None:
    nothing = Verification(method=VerificationMethod.NONE)
    assert verdict(completed=True, passes=(PASS,), verification=nothing) is Verdict.FAILED


def test_a_sample_states_its_confidence_only_if_it_is_clean() -> None:
    clean = sample_verification("seed", 512, 0.01, GOOD)
    assert clean.confidence == confidence(SIZE // 512, 0.01)
    dirty = sample_verification("seed", 512, 0.01, replace(GOOD, different=(BAD,)))
    assert (dirty.confidence, dirty.passed) == (0.0, False)
    assert verdict(completed=True, passes=(PASS,), verification=dirty) is Verdict.FAILED


CANARY = former_content(Extent(0, BLOCK), b"canary" * 100)
EMPTY = former_content(Extent(BLOCK, 2 * BLOCK), bytes(BLOCK))


GONE = BlockAfter(CANARY, b"\xff" * 600)
HERE = BlockAfter(CANARY, b"canary" * 100)


@pytest.mark.parametrize(
    ("canaries", "former", "passes"),
    [
        ((GONE,), (), True),
        ((GONE,), (BlockAfter(EMPTY, bytes(BLOCK)),), True),
        ((GONE,), (HERE,), False),
        ((HERE,), (), False),
        ((BlockAfter(CANARY, None),), (), False),
        ((), (GONE,), False),
        ((), (), False),
    ],
)
def test_canaries_must_be_gone_and_examined(
    canaries: tuple[BlockAfter, ...], former: tuple[BlockAfter, ...], passes: bool
) -> None:
    verification = canary_verification("seed", 1, canaries, former)
    assert verification.passed == passes
    expected = Verdict.ERASED if passes else Verdict.FAILED
    assert verdict(completed=True, passes=(), verification=verification) is expected


def known(estimate: Estimate) -> tuple[float | None, float | None]:
    return estimate.rate, estimate.seconds_left


def test_the_estimate_follows_the_last_samples() -> None:
    estimate = Estimate(1000, window=10)
    assert known(estimate) == (None, None)
    for second in range(11):
        estimate.add(second, second * 10)
    assert known(estimate) == (10.0, 90.0)
    for second in range(11, 31):
        estimate.add(second, 100 + (second - 10) * 5)
    assert known(estimate) == (5.0, 160.0)
    for second in range(31, 51):
        estimate.add(second, 200)
    assert known(estimate) == (0.0, None)
