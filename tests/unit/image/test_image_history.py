"""The recovery history: counting, bounds, the file."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.image.history import (
    MAX_FAILURES,
    MAX_IMAGES,
    MAX_NOTE_LENGTH,
    MAX_NOTES,
    History,
    ImageResult,
    parse_history,
    serialise_history,
)


def test_a_file_of_gprovision() -> None:
    """Its writer leaves zeros out and adds no other keys; unknown keys are ignored."""
    history = parse_history(
        b'{"ImageResults":[{"Image":"W.2","ImagingAttempts":2,"ImagingFailures":1,"Notes":["a","b"],"New":1},'
        b'{"Image":"W.1","BootAttempts":3,"BootFailures":2,"Notes":null}],"_comment":7}'
    )
    assert history.results == (
        ImageResult(
            image="W.2", imaging_attempts=2, imaging_failures=1, boot_attempts=0, boot_failures=0, notes=("a", "b")
        ),
        ImageResult(image="W.1", imaging_attempts=0, imaging_failures=0, boot_attempts=3, boot_failures=2),
    )


def test_field_names() -> None:
    content = json.loads(
        serialise_history(
            History().with_attempt("W.1").with_failure("W.1", "no space").with_boot_results("W.1", 1, 0, 0)
        )
    )
    assert content == {
        "ImageResults": [
            {
                "Image": "W.1",
                "ImagingAttempts": 1,
                "ImagingFailures": 1,
                "BootAttempts": 1,
                "BootFailures": 0,
                "Notes": ["no space"],
            }
        ]
    }


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0", b"[]", b'{"ImageResults":{}}', b'{"ImageResults":[{"Image":5}]}', b'{"ImageResults":[{}]}',
     b'{"ImageResults":[{"Image":"x","BootFailures":-1}]}', b'{"ImageResults":[{"Image":"x","Notes":[1]}]}'],
)  # fmt: skip
def test_a_damaged_file_is_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_history(data)


def test_most_recently_used_first() -> None:
    history = History().with_attempt("a").with_attempt("b").with_attempt("c").with_success("a")
    assert [result.image for result in history.results] == ["a", "c", "b"]


def test_success_forgives_half_of_its_own_kind() -> None:
    history = History()
    for _ in range(6):
        history = history.with_failure("a", "x").with_boot_results("a", 1, 0, 1)
    assert history.failures("a") == 12
    history = history.with_success("a")
    assert (history.result("a").imaging_failures, history.result("a").boot_failures) == (3, 6)
    history = history.with_boot_results("a", 1, 1, 0).with_success("a").with_success("a")
    assert (history.result("a").imaging_failures, history.result("a").boot_failures) == (0, 3)
    assert History().failures("never seen") == 0


def test_a_rejection_is_one_failure_and_lasts_until_a_success() -> None:
    history = History().with_rejection("a", "refused").with_attempt("a").with_boot_results("a", 1, 1, 0)
    assert (history.result("a").imaging_failures, history.result("a").rejected) == (1, True)
    assert history.result("a").rank == MAX_FAILURES + 1
    assert parse_history(serialise_history(history)) == history
    assert b"Rejected" not in serialise_history(history.with_success("a"))
    assert history.with_success("a").result("a").rank == 0


def test_bounds() -> None:
    history = History()
    for number in range(MAX_NOTES + 5):
        history = history.with_failure("a", f"{number} " + "x" * 1000)
    notes = history.result("a").notes
    assert len(notes) == MAX_NOTES
    assert notes[-1].startswith(f"{MAX_NOTES + 4} ")
    assert all(len(note) == MAX_NOTE_LENGTH for note in notes)
    for number in range(MAX_IMAGES + 5):
        history = history.with_attempt(str(number))
    assert len(history.results) == MAX_IMAGES
    assert history.results[0].image == str(MAX_IMAGES + 4)


def test_a_grown_file_is_cut_when_read() -> None:
    entries = [{"Image": str(number), "Notes": ["n" * 999] * (2 * MAX_NOTES)} for number in range(2 * MAX_IMAGES)]
    history = parse_history(json.dumps({"ImageResults": entries}).encode())
    assert len(history.results) == MAX_IMAGES
    assert {len(result.notes) for result in history.results} == {MAX_NOTES}
    assert len(serialise_history(history)) < 1 << 20


_METHODS = st.sampled_from(["with_attempt", "with_failure", "with_rejection", "with_success", "with_boot_results"])
_COUNTS = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


@given(st.lists(st.tuples(_METHODS, st.text(min_size=1, max_size=5).filter(str.strip), st.text(max_size=20), _COUNTS)))
def test_round_trip(steps: list[tuple[str, str, str, tuple[int, int, int]]]) -> None:
    history = History()
    for method, name, note, counts in steps:
        more: dict[str, tuple[object, ...]] = {
            "with_failure": (note,),
            "with_rejection": (note,),
            "with_boot_results": counts,
        }
        history = getattr(history, method)(name, *more.get(method, ()))
        assert history.results[0].image == name
    assert parse_history(serialise_history(history)) == history


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        parse_history(data)
