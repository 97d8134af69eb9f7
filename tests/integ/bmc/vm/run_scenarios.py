"""Runs in a guest: sets up one management controller after the other, through the kernel's driver. Prints the outcome
of each, and the versions that it tells."""

from __future__ import annotations

import sys

from gprov.adapters.linux.ipmi.device import IpmiDevice
from gprov.adapters.linux.system.clock import SystemClock
from tests.integ.bmc.outside import select
from tests.unit.bmc.scenarios import SCENARIOS, attempt, versions

# As long as a controller may be busy; QEMU answers for a silent one after 4 seconds.
SECONDS = 12.0


def main() -> int:
    clock = SystemClock()
    bmc = IpmiDevice(clock)
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        assert bmc.exchange(select(number)).code == 0
        if number == 0:
            print(f"VERSIONS {versions(bmc, clock)}", flush=True)
        started = clock.monotonic()
        outcome = attempt(bmc, clock, scenario, SECONDS)
        print(f"OUTCOME {number} {clock.monotonic() - started:.1f} s {name}: {outcome}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
