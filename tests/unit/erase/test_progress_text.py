"""What a person is told of the progress of an erase."""

from __future__ import annotations

from gprov.apps.erase.recorder import progress_text
from gprov.domain.estimate import Estimate


def estimate(*samples: tuple[float, int], total: int) -> Estimate:
    made = Estimate(total)
    for seconds, done in samples:
        made.add(seconds, done)
    return made


def test_rate_and_remaining_time_follow_from_the_last_minute() -> None:
    total = 1_000_000_000_000
    found = estimate((0, 0), (60, 6_000_000_000), total=total)
    assert progress_text("overwrite /dev/sda", 6_000_000_000, total, found) == (
        "overwrite /dev/sda: 0 %, 100 MB/s, about 2.76 h left"
    )


def test_before_anything_is_known_only_the_share_is_told() -> None:
    assert progress_text("read back /dev/sda", 50, 100, estimate(total=100)) == "read back /dev/sda: 50 %"


def test_a_drive_that_states_a_fraction_has_no_rate() -> None:
    found = estimate((0, 0), (60, 500), total=1000)
    assert progress_text("erase /dev/sda", 500, 1000, found) == "erase /dev/sda: 50 %, about 60 s left"
