"""Settle time: when a set of devices is taken to be complete. Drivers find the devices of one board one after another.

Disks: a second disk of the same size may start up slower. Interfaces: which ones are the diagnostic and the WAN port
depends on their number and order.
"""

from __future__ import annotations

# No device came or went for this time, seconds.
SETTLE_SECONDS = 2.0
