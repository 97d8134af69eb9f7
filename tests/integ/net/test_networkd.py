"""Default network files, judged by systemd-networkd itself on virtual cables with dnsmasq at their ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.nics import Nic

NETWORKD = "/usr/lib/systemd/systemd-networkd"
PORTS = {"wan0": "10.77.0", "lan0": "10.66.0", "diag0": "10.55.0"}

# A private /run for its state, and a read-only /sys: networkd then does not wait for udev to announce interfaces.
RUN_NETWORKD = """
set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chmod -R a+rwX /run/systemd
mount -o remount,ro,bind /sys
cp "$1"/* /run/systemd/network/
exec env SYSTEMD_LOG_LEVEL=info SYSTEMD_LOG_TARGET=console "$2"
"""


def capable() -> bool:
    tools = all(shutil.which(tool) for tool in ("ip", "dnsmasq", "unshare", NETWORKD))
    return (
        tools
        and os.geteuid() == 0
        and not subprocess.run(["unshare", "-nm", "true"], check=False, timeout=20).returncode
    )


pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, namespaces, iproute2, dnsmasq, systemd-networkd"),
]


def ip(*words: str) -> Any:
    done = subprocess.run(["ip", "-j", *words], check=True, capture_output=True, timeout=20)
    return json.loads(done.stdout or b"[]")


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[str]:
    """A network namespace with three ports, a DHCP server behind each."""
    unit, servers = (f"gprov-nd-{os.getpid()}-{end}" for end in ("unit", "servers"))
    with ExitStack() as stack:
        for namespace in (unit, servers):
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "del", namespace)
        argv = [
            "ip",
            "netns",
            "exec",
            servers,
            "dnsmasq",
            "--no-daemon",
            "--port=0",
            "--conf-file=/dev/null",
            "--user=root",
        ]
        argv += ["--bind-dynamic", "--dhcp-authoritative", "--no-ping", f"--dhcp-leasefile={tmp_path}/leases"]
        for number, (port, subnet) in enumerate(PORTS.items()):
            peer = ["peer", "name", f"peer{number}", "netns", servers]
            ip("-n", unit, "link", "add", port, "address", f"56:78:90:00:00:0{number}", "type", "veth", *peer)
            ip("-n", servers, "addr", "add", f"{subnet}.1/24", "dev", f"peer{number}")
            ip("-n", servers, "link", "set", f"peer{number}", "up")
            argv += [f"--interface=peer{number}", f"--dhcp-range={subnet}.10,{subnet}.20"]
        server = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        stack.callback(server.kill)
        yield unit


def default_routes(unit: str) -> dict[str, int]:
    return {route["dev"]: route["metric"] for route in ip("-n", unit, "-4", "route") if route["dst"] == "default"}


@pytest.mark.parametrize("twins", [False, True], ids=["MACs of their own", "one MAC for all"])
def test_ports_come_up_as_they_should(unit: str, tmp_path: Path, twins: bool) -> None:
    nics = [Nic(name=port, mac=f"56:78:90:00:00:0{0 if twins else number}") for number, port in enumerate(PORTS)]
    for nic in nics:
        ip("-n", unit, "link", "set", nic.name, "address", nic.mac)
    folder, log = tmp_path / "files", tmp_path / "log"
    folder.mkdir()
    for name, content in default_files(nics, diagnostic=[2], names=["Port 1 (WAN)", "Port 2"]).items():
        (folder / name).write_bytes(content)
    argv = ["ip", "netns", "exec", unit, "unshare", "-m", "sh", "-c", RUN_NETWORKD, "sh", str(folder), NETWORKD]
    with log.open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as networkd:
        try:
            end = time.monotonic() + 30
            while len(default_routes(unit)) < 2 and time.monotonic() < end and networkd.poll() is None:
                time.sleep(0.1)
            addresses = {link["ifname"]: [one["local"] for one in link["addr_info"]] for link in ip("-n", unit, "addr")}
            routes = default_routes(unit)
        finally:
            networkd.kill()
    text = log.read_text()
    # Both ports have a default route, and the WAN port's is the better one.
    assert routes == {"wan0": 1024, "lan0": 2048}, text
    assert addresses["diag0"] == []
    assert any(one.startswith("10.77.0.") for one in addresses["wan0"])
    assert text.count("Configuring with /run/systemd/network/") == len(PORTS)
    # An unknown key, section or value is reported with file and line.
    assert [line for line in text.splitlines() if line.startswith("/run/systemd/network/")] == []
