"""Log files on RECOVERY: names that no clock can make collide, and their order.

``<stage><yyyymmdd_hhmm>.log``; from the first time on that the clock did not go forward since the log before (an empty
battery, two starts in one minute), ``<stage><yyyymmdd_hhmm>-<n>.log``, where ``n`` counts how often that happened. So
the order of names is the order of starts, whatever the clock said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gprov.domain.event_text import log_name

_LOG = re.compile(r"([a-z]+)([0-9]{8}_[0-9]{4})(?:-([0-9]{1,9}))?\.log")

Order = tuple[int, str]


def log_order(name: str) -> Order | None:
    """Sorts logs from the oldest to the newest; None for what is no log of ours."""
    match = _LOG.fullmatch(name)
    return (int(match[3] or 0), match[2]) if match else None


def stage_of(name: str) -> str:
    """ "" for what is no log of ours."""
    match = _LOG.fullmatch(name)
    return match[1] if match else ""


def next_log_name(stage: str, time_ns: int, existing: Iterable[str]) -> str:
    """A name that none of ``existing`` has and that comes after them all."""
    orders = [order for name in existing if (order := log_order(name)) is not None]
    name = log_name(stage, time_ns)
    own = log_order(name)
    if not orders or own is None:
        return name
    newest, stamp = max(orders)
    times = newest if own[1] > stamp else newest + 1
    return f"{name.removesuffix('.log')}-{times}.log" if times else name
