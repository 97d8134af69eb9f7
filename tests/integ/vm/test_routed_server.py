"""A factory server in another subnet: only a classless static route (option 121, RFC 3442) leads there, and the router
that the same lease names (option 3) does not."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.factory_server import ServerLocation, factory_server
from gprov.apps.host.lab.lifecycle import PROVISIONED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.namespace import ADDRESS, BRIDGE, FIRST, LAST, NETMASK
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from tests.integ.vm.segment import Segment, new_segment

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]
# In the lease: 18 (24 bits), 0a:58:00 (10.88.0), 0a:4d:00:fe (the router).
ROUTER, BEYOND, SERVER = "10.77.0.254", "10.88.0.1", "10.88.0.2"
# The router of option 3 is the station of dnsmasq, which has no route to the server.
CONFIGURATION = f"""\
port=0
interface={BRIDGE}
bind-dynamic
log-dhcp
dhcp-authoritative
dhcp-range={FIRST},{LAST},{NETMASK},1h
dhcp-option=option:router,{ADDRESS}
dhcp-option=option:classless-static-route,10.88.0.0/24,{ROUTER}
"""
FORWARD = ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    with new_segment(tmp_path) as segment:
        yield segment


def server_behind_a_router(segment: Segment) -> str:
    """The namespace of a server whose subnet is joined to the lab's network by a router."""
    router, server = segment.station("router", ROUTER), segment.namespace("server")
    segment.ip("-n", router, "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", server)
    segment.address(router, "eth1", BEYOND)
    segment.address(server, "eth0", SERVER)
    segment.ip("-n", server, "route", "add", "default", "via", BEYOND)
    subprocess.run(["ip", "netns", "exec", router, *FORWARD], check=True, timeout=20)
    return server


def test_a_unit_is_provisioned_over_the_route_of_its_lease(
    segment: Segment, run_stage: RunStage, small_products: Products, tmp_path: Path
) -> None:
    processes, log = SystemProcesses(), tmp_path / "server.log"
    location = ServerLocation(namespace=server_behind_a_router(segment), listen=SERVER, host=SERVER)
    segment.dnsmasq("dhcp", segment.network.name, CONFIGURATION)
    unit = VirtualUnit.create(str(tmp_path / "unit"), VirtualUnitSpec(), processes)
    machine = unit.machine()
    wired = replace(machine, nics=(replace(machine.nics[0], tap="tap0"),), namespace=segment.network.name)

    with factory_server(processes, str(tmp_path / "server"), str(log), location) as server:
        server.publish(small_products.published(), unit.spec)
        kernel = DirectKernel(small_products.provision_kernel, (*server.arguments, *UNIT_ARGUMENTS))
        run_stage("provision", unit, PROVISIONED, wired.booting(kernel))
    for folder in (unit.folder, server.folder):
        shutil.rmtree(folder)

    sent = segment.said("dhcp")
    assert re.search(r"sent size: .* option:121 classless-static-route +18:0a:58:00:0a:4d:00:fe", sent), sent
    assert re.search(rf"sent size: .* option:  3 router  {re.escape(ADDRESS)}", sent), sent
    requests = re.findall(r'INFO ([\d.]+):\d+ - "(\w+ \S+) HTTP/1.1" (\d+)', log.read_text())
    asked = [request for _, request, _ in requests]
    assert asked[0] == "GET /files/manufData.json"
    assert f"GET /files/{small_products.image_name}" in asked
    assert {status[0] for _, _, status in requests} == {"2"}
    # Its own address: no station translated it.
    assert {client.rpartition(".")[0] for client, _, _ in requests} == {"10.77.0"}
