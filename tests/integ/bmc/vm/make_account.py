"""Runs in a guest: reads the versions of the management controller and makes the unit's account, through the kernel's
driver, and switches the identify light on. Prints what came of it."""

from __future__ import annotations

import sys

from gprov.adapters.linux.ipmi.device import IpmiDevice
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.formats.ipmi.chassis import identify
from tests.unit.bmc.scenarios import SCENARIOS, attempt, versions


def main() -> int:
    clock = SystemClock()
    bmc = IpmiDevice(clock)
    print(f"VERSIONS {versions(bmc, clock)}", flush=True)
    print(f"OUTCOME {attempt(bmc, clock, SCENARIOS['as it should be'], 30.0)}", flush=True)
    print(f"LIGHT {bmc.exchange(identify(255)).code}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
