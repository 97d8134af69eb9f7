"""When a set of devices counts as complete. Drivers find the devices of one board one after the other.

Disks: a second disk of the same size may be the slower one. Interfaces: which port is for diagnosis, and which is the
WAN, depends on their number and order.
"""

from __future__ import annotations

# None came or went for so long.
SETTLE_SECONDS = 2.0
