"""A client in the network of a simulated management controller: ipmitool over RMCP+."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from gprov.apps.host.lab.bmc import SimulatedBmc


def _run(bmc: SimulatedBmc, name: str, password: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    secret = folder / "password"
    secret.write_text(password)
    address = ("-I", "lanplus", "-H", "127.0.0.1", "-p", str(bmc.ports.network), "-U", name, "-f", str(secret))
    # Cipher suite 3, which every controller of IPMI 2.0 has: ipmi_sim cannot list those that it has.
    argv = ("ipmitool", *address, "-C", "3", "-N", "2", "-R", "3", *words)
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def remote(bmc: SimulatedBmc, name: str, password: str, folder: Path, *words: str) -> Mapping[str, str]:
    """What ipmitool prints as "name : value"."""
    done = _run(bmc, name, password, folder, *words)
    assert done.returncode == 0, done.stderr
    lines = [line.partition(":") for line in done.stdout.splitlines()]
    return {key.strip(): value.strip() for key, _, value in lines if key.strip()}


def logs_in(bmc: SimulatedBmc, name: str, password: str, folder: Path) -> bool:
    """As an administrator. ``folder``: where the password is put into a file."""
    done = _run(bmc, name, password, folder, "-L", "ADMINISTRATOR", "chassis", "status")
    accepted = done.returncode == 0
    assert accepted or "Unable to establish IPMI v2 / RMCP+ session" in done.stderr, done.stderr
    return accepted
