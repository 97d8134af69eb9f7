"""What the server answers to machines that start over the network, asked through its real HTTP application."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.apps.server.container import server_container
from gprov.apps.server.web.netboot import Netboot
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.events import ProcessState
from gprov.domain.factory.audit import Actor
from gprov.domain.factory.requests import MacReport, NamedMac, Sender, StateReport

OWN, DONGLE = "56:78:90:00:00:01", "00:e0:4c:00:00:01"
BASE = "http://10.1.0.1:8901"


@dataclass
class Factory:
    folder: Path
    settings: Netboot = field(default_factory=Netboot)
    now_ns: int = 1_750_000_000_000_000_000

    def __post_init__(self) -> None:
        container = server_container(str(self.folder), FakeKeys())
        set_value(container.now, lambda: self.now_ns)
        set_value(container.netboot, self.settings)
        self.database, self.services, self.app = container.database(), container.services(), container.app()
        self.admin = container.admin()

    def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> httpx.Response:
        async def exchange() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=BASE) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(exchange())

    def script(self, **query: str) -> str:
        reply = self.ask(f"/boot.ipxe?{urllib.parse.urlencode(query)}" if query else "/boot.ipxe")
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/plain")
        assert reply.text.startswith("#!ipxe\n")
        return reply.text

    def provisions(self, mac: str = OWN, serial: str = "", board: str = "") -> bool:
        """Whether such a machine would be provisioned, rather than sent to its disks."""
        text = self.script(mac=mac, serial=serial, board=board)
        assert ("\nkernel " in text) != ("starts from its own disks" in text)
        return "\nkernel " in text

    def report(self, serial: str, *states: ProcessState, macs: tuple[str, ...] = (OWN,)) -> None:
        sender = Sender(serial, "0" * 32)
        self.services.store.macs(MacReport(sender, tuple(NamedMac(f"eth{n}", mac) for n, mac in enumerate(macs)), ()))
        for state in states:
            self.services.store.state(StateReport(sender, state))


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    made = Factory(tmp_path, Netboot(arguments="console=ttyS0"))
    with closing(made.database):
        yield made


S = ProcessState


def test_the_first_script_asks_with_the_identity_of_its_machine(factory: Factory) -> None:
    assert f"chain --replace {BASE}/boot.ipxe?mac=" in factory.script()


def test_addresses_are_those_that_the_machine_used(factory: Factory) -> None:
    text = factory.script(mac=OWN)
    assert f"\nkernel {BASE}/files/provision.pxe mfgurl={BASE}/files/manufData.json console=ttyS0 &&" in text
    other = factory.ask("/boot.ipxe?mac=", {"Host": "factory.lan"}).text
    assert "mfgurl=http://factory.lan/files/manufData.json" in other


def test_a_public_address_wins(tmp_path: Path) -> None:
    made = Factory(tmp_path, Netboot(public_url="http://public:80"))
    with closing(made.database):
        assert "mfgurl=http://public:80/files/manufData.json" in made.script(mac=OWN)
        assert "chain --replace http://public:80/boot.ipxe?" in made.script()


@pytest.mark.parametrize("host", ["a b", "a/../b", "x@y", "${net0/mac}", "a:99999", "a#", "a?b", "[::1", "a;b"])
def test_an_invalid_host_does_not_get_into_a_script(factory: Factory, host: str) -> None:
    reply = factory.ask("/boot.ipxe?mac=", {"Host": host})
    assert reply.status_code == 400
    assert "ipxe\n" not in reply.text


def test_an_unknown_machine_is_provisioned(factory: Factory) -> None:
    assert factory.provisions()
    assert factory.provisions(mac="nonsense", serial="' OR 1=1 --", board="%")
    assert factory.provisions(mac="", serial="")


def test_a_unit_is_provisioned_until_that_has_succeeded(factory: Factory) -> None:
    factory.report("SN/1", S.MFG_STARTED)
    assert factory.provisions(serial="SN/1")
    factory.report("SN/1", S.MFG_FAILED)
    assert factory.provisions(serial="SN/1")
    factory.report("SN/1", S.MFG_STARTED, S.MFG_SUCCEEDED)
    assert not factory.provisions(serial="SN/1")
    factory.report("SN/1", S.FR_STARTED, S.FR_FAILED)
    assert not factory.provisions(serial="SN/1")


def test_a_reopened_unit_is_provisioned_again_for_a_day(factory: Factory) -> None:
    factory.report("SN1", S.MFG_STARTED, S.MFG_SUCCEEDED)
    factory.admin.reopen("SN1", Actor("a person"))
    assert factory.provisions(serial="SN1")
    factory.now_ns += 25 * 3600 * 10**9
    assert not factory.provisions(serial="SN1")


def test_a_unit_is_identified_by_either_serial_or_by_its_own_mac(factory: Factory) -> None:
    factory.report("SN1", S.MFG_STARTED, S.MFG_SUCCEEDED, macs=(DONGLE, OWN))
    assert not factory.provisions(mac=DONGLE, board="SN1")
    assert not factory.provisions(mac=OWN.upper(), serial="To be filled by O.E.M.")


def test_an_adapter_reported_by_two_units_identifies_neither(factory: Factory) -> None:
    factory.report("SN1", S.MFG_STARTED, S.MFG_SUCCEEDED, macs=(DONGLE, OWN))
    assert factory.provisions(mac=DONGLE, serial="SN2")
    assert factory.provisions(mac=DONGLE)


def test_the_serial_counts_more_than_the_mac(factory: Factory) -> None:
    """A board that was moved into another unit."""
    factory.report("OLD", S.MFG_STARTED, S.MFG_SUCCEEDED)
    factory.report("NEW", S.MFG_STARTED)
    assert factory.provisions(serial="NEW")


def test_the_kernel_is_served_whole_and_in_parts(factory: Factory) -> None:
    content = bytes(range(256)) * 4000
    (factory.folder / "files" / "provision.pxe").write_bytes(content)
    whole = factory.ask("/files/provision.pxe")
    assert (whole.content, whole.headers["content-length"]) == (content, str(len(content)))
    head = factory.ask("/files/provision.pxe", method="HEAD")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(content)))
    part = factory.ask("/files/provision.pxe", {"Range": "bytes=1000000-"})
    assert (part.status_code, part.content) == (206, content[1000000:])
