"""Quantities and times in few characters."""

from __future__ import annotations

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST_DAYS = 99


def format_bytes(count: float) -> str:
    """With a decimal prefix, at most 6 characters below 1000 EB: "999 B", "1.2 MB", "12 GB"."""
    value = max(0.0, count)
    for unit in _BYTE_UNITS:
        if value < 999.5 or unit == _BYTE_UNITS[-1]:
            break
        value /= 1000
    else:
        unit = _BYTE_UNITS[-1]
    return f"{value:.1f} {unit}" if 0 < value < 9.95 and unit != "B" else f"{value:.0f} {unit}"


def format_time_left(seconds: float) -> str:
    """At most 9 characters: "45 s", "12 min", "13 h 05 m", "2 d 03 h"; rounded up, since a time left is a promise."""
    whole = -int(-max(0.0, seconds) // 1)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    minutes = -(-whole // _MINUTE)
    if minutes < 100:
        return f"{minutes} min"
    hours = -(-whole // _HOUR)
    if hours <= 24:
        return f"{minutes // 60} h {minutes % 60:02} m"
    if hours // 24 > _MOST_DAYS:
        return f">{_MOST_DAYS} d"
    return f"{hours // 24} d {hours % 24:02} h"
