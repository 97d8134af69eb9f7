"""Following a lease beside the flow: what is done to the interface and reported, and that it ends."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from gprov.adapters.fake.system.background import FakeBackground
from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.fake.system.process import FakeProcesses
from gprov.adapters.linux.net.configure import Configurator
from gprov.adapters.linux.net.dhcp_client import DhcpClient, start_client
from gprov.adapters.linux.net.lease_keeper import LeaseKeeper
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.domain.errors import NetworkFault
from gprov.domain.unit.dhcp import SetRoute, UseNameServers
from gprov.domain.unit.lease import DEFAULT, Lease, Route
from gprov.ports.process import Completed

LEASE = Lease(interface="eth0", address="10.0.2.15", prefix=24)


@pytest.fixture
def processes() -> FakeProcesses:
    return FakeProcesses({name: lambda *_: Completed(0, b"", b"") for name in ("ip", "udhcpc")})


@pytest.fixture
def client(processes: FakeProcesses, tmp_path: Path) -> Iterator[DhcpClient]:
    client = start_client(processes, "eth0", str(tmp_path), "script")
    with ExitStack() as stack:
        stack.callback(client.close)
        yield client


def keepers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "gprov-lease"]


def test_a_lease_is_followed_until_close(client: DhcpClient, processes: FakeProcesses, tmp_path: Path) -> None:
    reports: queue.Queue[str] = queue.Queue()
    configurator = Configurator(processes, str(tmp_path / "resolv.conf"))
    keeper = LeaseKeeper(client, LEASE, configurator, reports.put)
    keeper.start(ThreadBackground())
    assert keepers() == ["gprov-lease"]
    os.write(client.pipe, b"event=nak\nend\n")
    assert reports.get(timeout=10) == "eth0: the address 10.0.2.15 is given up: the server refused to renew it"
    keeper.close()
    assert keepers() == []
    assert [run.argv for run in processes.runs] == [("ip", "addr", "flush", "dev", "eth0")]


class IpRefuses:
    """The program ip, which refuses commands that begin with these words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def __call__(self, argv: Sequence[str], _env: Mapping[str, str], _stdin: bytes) -> Completed:
        refused = tuple(argv[1 : 1 + len(self._words)]) == self._words
        return Completed(2 if refused else 0, b"", b"Nexthop has invalid gateway" if refused else b"")


NEW_ROUTES = (
    UseNameServers(("10.0.2.3",)),
    SetRoute("eth0", Route("10.9.0.0/16", "10.0.2.9")),
    SetRoute("eth0", Route(DEFAULT, "10.0.2.2")),
)


def test_a_route_that_is_refused_is_a_warning(tmp_path: Path) -> None:
    processes = FakeProcesses({"ip": IpRefuses("route", "replace", "10.9.0.0/16")})
    warnings = Configurator(processes, str(tmp_path / "resolv.conf")).carry_out(NEW_ROUTES)
    assert len(warnings) == 1
    assert warnings[0].startswith("route to 10.9.0.0/16: ")
    assert processes.runs[-1].argv == ("ip", "route", "replace", DEFAULT, "via", "10.0.2.2", "dev", "eth0")


def test_a_default_route_that_is_refused_is_a_fault_after_the_name_servers(tmp_path: Path) -> None:
    processes = FakeProcesses({"ip": IpRefuses("route", "replace", DEFAULT)})
    with pytest.raises(NetworkFault):
        Configurator(processes, str(tmp_path / "resolv.conf")).carry_out(NEW_ROUTES)
    assert b"10.0.2.3" in (tmp_path / "resolv.conf").read_bytes()


def test_an_interface_that_cannot_be_configured_is_cleared(tmp_path: Path) -> None:
    processes = FakeProcesses({"ip": IpRefuses("addr", "add"), "udhcpc": lambda *_: Completed(0, b"", b"")})
    reports: queue.Queue[str] = queue.Queue()
    with ExitStack() as stack:
        client = start_client(processes, "eth0", str(tmp_path), "script")
        stack.callback(client.close)
        keeper = LeaseKeeper(client, LEASE, Configurator(processes, str(tmp_path / "resolv.conf")), reports.put)
        keeper.start(ThreadBackground())
        os.write(client.pipe, b"event=renew\nip=10.0.2.99\nsubnet=255.255.255.0\nend\n")
        assert "was replaced by 10.0.2.99" in reports.get(timeout=10)
        assert "cannot be configured" in reports.get(timeout=10)
        keeper.close()
    assert [run.argv[1:3] for run in processes.runs] == [("addr", "flush"), ("addr", "add"), ("addr", "flush")]


def test_without_a_thread_the_flow_goes_on(client: DhcpClient, processes: FakeProcesses, tmp_path: Path) -> None:
    reports: list[str] = []
    keeper = LeaseKeeper(client, LEASE, Configurator(processes, str(tmp_path / "resolv.conf")), reports.append)
    keeper.start(FakeBackground(FakeClock()))
    keeper.close()
    assert reports == ["eth0: cannot start a thread: changes of its DHCP lease are not applied"]
    assert processes.runs == []
