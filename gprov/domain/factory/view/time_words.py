"""Points in time and durations as people read them. All times are nanoseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 10**9
_LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_PARTS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def _moment(time_ns: int) -> datetime:
    """Whole seconds. A time that no calendar here has, which a unit's clock may claim, is the latest one."""
    try:
        return datetime.fromtimestamp(time_ns // SECOND, UTC)
    except (ValueError, OverflowError, OSError):
        return _LATEST


def utc_text(time_ns: int) -> str:
    """2026-11-30 01:20:33, without the name of the zone."""
    return f"{_moment(time_ns):%Y-%m-%d %H:%M:%S}"


def iso_text(time_ns: int) -> str:
    """2026-11-30T01:20:33Z, as ``<time datetime>`` and programs take it."""
    return f"{_moment(time_ns):%Y-%m-%dT%H:%M:%SZ}"


def duration_text(duration_ns: int) -> str:
    """The two largest parts that it has: "45 s", "3 min 20 s", "2 h 5 min", "3 d". Cut, not rounded; a negative one,
    as clocks that were set back make it, is "0 s"."""
    left = max(duration_ns, 0) // SECOND
    shown: list[str] = []
    for size, name in _PARTS:
        count, left = divmod(left, size)
        if count:
            shown.append(f"{count} {name}")
        elif shown:
            break
        if len(shown) == 2:
            break
    return " ".join(shown) or "0 s"


def coarse_text(duration_ns: int) -> str:
    """As ``duration_text``, of a minute and more without seconds."""
    minute = 60 * SECOND
    return duration_text(duration_ns if duration_ns < minute else duration_ns // minute * minute)


def age_text(since_ns: int, now_ns: int) -> str:
    return f"{coarse_text(now_ns - since_ns)} ago"
