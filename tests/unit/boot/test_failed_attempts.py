"""What failed while the root was searched for is tried again after RETRY_SECONDS."""

from __future__ import annotations

from gprov.apps.init.attempts import FailedAttempt, FailedAttempts
from gprov.domain.boot.decide_root import RETRY_SECONDS


def test_what_was_never_tried_is_due() -> None:
    assert FailedAttempts().due("root", 0.0)


def test_what_failed_is_due_again_after_some_seconds() -> None:
    tries = FailedAttempts()
    assert tries.add("root", "bad superblock", 10.0) == FailedAttempt(10.0, 1, "bad superblock")
    assert not tries.due("root", 10.0 + RETRY_SECONDS - 0.1)
    assert tries.due("root", 10.0 + RETRY_SECONDS)
    assert tries.due("other", 10.0)


def test_failures_that_count_are_counted() -> None:
    tries = FailedAttempts()
    tries.add("root", "one", 0.0)
    assert tries.add("root", "two", 5.0) == FailedAttempt(5.0, 2, "two")


def test_one_that_does_not_count_leaves_number_and_time() -> None:
    tries = FailedAttempts()
    tries.add("root", "one", 0.0)
    assert tries.add("root", "two", 1.0, counts=False) == FailedAttempt(0.0, 1, "two")
    assert tries.add("new", "first of all", 1.0, counts=False) == FailedAttempt(1.0, 1, "first of all")
