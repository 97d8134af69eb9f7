"""The texts that a display shows while the system starts."""

from __future__ import annotations

from gprov.domain.boot.boot_counts import BootCounts
from gprov.domain.boot.start_texts import start_texts


def test_the_first_start_says_that_it_may_take_long() -> None:
    assert "first start after the restore" in start_texts(BootCounts(), confirms=True).starting
    assert start_texts(BootCounts(started=1), confirms=True).starting == "Starting the system"


def test_only_a_system_that_reports_can_fail_to_report() -> None:
    assert "not reported" in start_texts(BootCounts(), confirms=True).silent
    assert "not reported" not in start_texts(BootCounts(), confirms=False).silent
