"""Which completion codes pass by themselves, and how long that is waited for."""

from __future__ import annotations

# Busy; timeout within the controller; duplicated request; its data, its firmware being updated; it is starting. Of the
# requests that gprov sends each may be repeated. (Table 5-2)
TEMPORARY = frozenset({0xC0, 0xC3, 0xCF, 0xD0, 0xD1, 0xD2})

# A controller that was switched on with the unit, or restarted by a step, takes up to a minute to start.
BUSY_SECONDS = 90.0
# For all requests together: a working controller is busy now and then, not before each response.
TOTAL_SECONDS = 600.0
# For the event log, which has up to 65535 entries: the log of provisioning needs the newest only.
EVENT_LOG_SECONDS = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
