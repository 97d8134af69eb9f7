"""Names of log files on RECOVERY: unique and in the order of boots, even if the clock is set back.

``<stage><yyyymmdd_hhmm>.log``. Once the clock has not advanced since the previous log (empty battery, two boots in one
minute), ``<stage><yyyymmdd_hhmm>-<n>.log``, where ``n`` counts these events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gprov.domain.event_text import log_name

_LOG = re.compile(r"([a-z_]+)([0-9]{8}_[0-9]{4})(?:-([0-9]{1,9}))?\.log")

Order = tuple[int, str]


def log_order(name: str) -> Order | None:
    """Sort key of log files, oldest first; None for other files."""
    match = _LOG.fullmatch(name)
    return (int(match[3] or 0), match[2]) if match else None


def stage_of(name: str) -> str:
    """Stage in the name of a log file; "" for other files."""
    match = _LOG.fullmatch(name)
    return match[1] if match else ""


def next_log_name(stage: str, time_ns: int, existing: Iterable[str]) -> str:
    """A name that sorts after all ``existing`` names."""
    orders = [order for name in existing if (order := log_order(name)) is not None]
    name = log_name(stage, time_ns)
    own = log_order(name)
    if not orders or own is None:
        return name
    newest, stamp = max(orders)
    times = newest if own[1] > stamp else newest + 1
    return f"{name.removesuffix('.log')}-{times}.log" if times else name
