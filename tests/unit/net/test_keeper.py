"""Following a lease beside the flow: what is done to the interface and reported, and that it ends."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
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
from gprov.domain.unit.lease import Lease
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


def test_without_a_thread_the_flow_goes_on(client: DhcpClient, processes: FakeProcesses, tmp_path: Path) -> None:
    reports: list[str] = []
    keeper = LeaseKeeper(client, LEASE, Configurator(processes, str(tmp_path / "resolv.conf")), reports.append)
    keeper.start(FakeBackground(FakeClock()))
    keeper.close()
    assert reports == ["eth0: no thread is left: changes of its lease are not followed"]
    assert processes.runs == []
