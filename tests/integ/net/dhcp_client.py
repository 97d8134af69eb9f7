"""Runs inside a network namespace: connect, print the outcome, stay until standard input ends; what is reported
meanwhile goes to standard error.

usage: dhcp_client.py PROGRAMS RESOLV_CONF SECONDS INTERFACE…

PROGRAMS is the folder in which ip, udhcpc and sh (or busybox) are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from gprov.adapters.linux.net.dhcp import UdhcpcNetwork
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.errors import NetworkFault
from gprov.domain.unit.nics import Nic


def main(programs: str, resolv_conf: str, seconds: str, *names: str) -> None:
    network = UdhcpcNetwork(SystemProcesses(programs), SystemClock(), ThreadBackground(), resolv_conf=resolv_conf)
    try:
        lease = network.connect([Nic(name=name, mac="") for name in names], float(seconds), report)
        outcome = {**asdict(lease), "gateway": lease.gateway}
    except NetworkFault as fault:
        outcome = {"peer": fault.peer, "reason": fault.reason}
    print(json.dumps(outcome), flush=True)
    sys.stdin.read()
    network.close()


def report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
