"""What the agent shows a server, and what it takes from its settings."""

from __future__ import annotations

from typing import Any

import pytest
from typing_extensions import override

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.update.server import FakeUpdates, FakeUpdateServer
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.loop import run_forever
from gprov.apps.update.ports import Identity
from gprov.apps.update.server import DdiServer
from gprov.domain.errors import BadInput, NetworkFault
from gprov.domain.formats.owner import Owner as FileOwner
from gprov.domain.image.name import parse_image_name
from gprov.domain.update.config import UpdateConfig
from gprov.domain.update.sw_description import release_version
from gprov.ports.network import Reply
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import image, plain


def test_the_attributes_of_the_unit() -> None:
    unit = plain()
    unit.config += '[attributes]\nsite = "Ulm"\n'
    unit.live()
    name = parse_image_name(IMAGE_NAME, "WIDGET.LNX.SHINY.")
    expected = {"serial": SERIAL, "image": IMAGE_NAME, "sw_version": release_version(name), "site": "Ulm"}
    assert expected.items() <= unit.updates.attributes.items()
    assert unit.updates.attributes["hw_revision"] == "QEMU-mfg-test"


def test_files_of_another_host_are_fetched_without_the_token() -> None:
    unit = plain()
    unit.updates.token = "TargetToken secret"
    unit.config += 'target_token_file = "/mnt/RECOVERY/update/token"\n'
    unit.updates.files_at = "https://files.example"
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.ports().files.replace("/mnt/RECOVERY/update/token", b"secret\n", mode=0o600)
    with pytest.raises(MachineStopped):
        unit.work()
    assert unit.updates.tokens == [""]


def test_a_token_that_others_can_read() -> None:
    unit = plain()
    unit.config += 'target_token_file = "/mnt/RECOVERY/update/token"\n'
    unit.start()
    unit.ports().files.replace("/mnt/RECOVERY/update/token", b"secret\n")
    with pytest.raises(BadInput, match="must be root's alone"):
        unit.agent()


def test_a_token_and_a_server_that_refuses_it() -> None:
    unit = plain()
    unit.updates.token = "TargetToken secret-words"
    unit.config += 'target_token_file = "/mnt/RECOVERY/update/token"\n'
    unit.start()
    unit.ports().files.replace("/mnt/RECOVERY/update/token", b"wrong-words\n", mode=0o600)
    with pytest.raises(NetworkFault, match="refuses this unit") as caught:
        unit.work()
    assert "words" not in str(caught.value)
    unit.ports().files.replace("/mnt/RECOVERY/update/token", b"secret-words\n", mode=0o600)
    unit.work()
    assert unit.updates.attributes


def test_an_error_of_the_agent_itself_does_not_end_its_rounds() -> None:
    unit = plain()
    unit.start()

    class Confused(FakeUpdates):
        rounds = 0

        @override
        def handle(self, method: str, path: str, body: bytes | None) -> Reply:
            self.rounds += 1
            if self.rounds < 3:
                raise ValueError("what no test has thought of")
            raise MachineStopped(StopReason.REBOOT)

    unit.updates = Confused()
    bus = EventBus(unit.world.machine.clock)
    with pytest.raises(MachineStopped):
        run_forever(unit.agent(), unit.ports(), unit.paths, bus)
    assert unit.updates.rounds == 3


def test_a_serial_number_is_one_component_of_a_url() -> None:
    unit = plain()
    unit.start()
    asked: list[str] = []

    class Asked(FakeUpdateServer):
        @override
        def request(self, method: str, url: str, **options: Any) -> Reply:
            asked.append(url)
            return Reply(200, b"{}")

    server = Asked(unit.world.machine, unit.updates)
    identity = Identity(serial="A/1 ?", code_name="X", controller="A/1 ?", token=None)
    DdiServer(server, UpdateConfig(server="https://x"), identity, unit.world.machine.clock).poll()
    assert asked == ["https://x/DEFAULT/controller/v1/A%2F1%20%3F"]


def test_a_configuration_that_others_could_write_is_not_used() -> None:
    unit = plain()
    unit.start()
    path = f"{unit.paths.recovery}/update/update.toml"
    unit.ports().files.replace(path, unit.config.encode(), mode=0o664)
    with pytest.raises(BadInput, match="must be root's alone, has mode 0664 and owner 0"):
        unit.agent()
    unit.ports().files.replace(path, unit.config.encode(), owner=FileOwner(1000, 1000))
    with pytest.raises(BadInput, match="owner 1000: chmod go-w"):
        unit.agent()


class Restless(FakeUpdates):
    """Offers other files by the same id at each poll, without end."""

    polls = 0

    @override
    def handle(self, method: str, path: str, body: bytes | None) -> Reply:
        if path == "":
            self.polls += 1
            self.actions[0].files = {NEWER: image({"srv/x": b"%d" % self.polls})}
            if self.polls > 100:
                raise MachineStopped(StopReason.REBOOT)
        return super().handle(method, path, body)


def test_a_server_that_always_offers_something_else_is_not_polled_without_pauses() -> None:
    unit = plain()
    unit.updates = Restless()
    unit.updates.assign({NEWER: image()}, download="skip")
    unit.start()
    began = unit.world.machine.clock.monotonic()
    with pytest.raises(MachineStopped):
        run_forever(unit.agent(), unit.ports(), unit.paths, EventBus(unit.world.machine.clock))
    assert unit.world.machine.clock.monotonic() - began >= 100


def test_a_server_that_sends_single_bytes_is_not_asked_for_them_without_pauses() -> None:
    unit = plain()
    unit.updates.assign({NEWER: image()})
    unit.updates.breaks, unit.updates.short = [1] * 100, True
    unit.start()
    began = unit.world.machine.clock.monotonic()
    with pytest.raises(MachineStopped):
        run_forever(unit.agent(), unit.ports(), unit.paths, EventBus(unit.world.machine.clock))
    assert unit.world.machine.clock.monotonic() - began >= 200


class Balanced(FakeUpdates):
    """Several servers behind one name, each with another ETag of the same file."""

    @override
    def file(self, path: str) -> bytes | None:
        self.changes += 1
        return super().file(path)


def test_servers_that_do_not_recognise_each_other_s_files_do_not_begin_anew_for_ever() -> None:
    """Over a slow connection, of which each piece takes more than the time between two polls."""
    unit = plain()
    unit.updates = Balanced()
    unit.updates.breaks = [10_000, 2000]  # of the first connection no break, but the end of a stretch
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.world.machine.faults.append(Fault(kind=FaultKind.SLOW, where="receive", times=1000, seconds=61.0))
    with pytest.raises(MachineStopped):
        run_forever(unit.agent(), unit.ports(), unit.paths, EventBus(unit.world.machine.clock))
    assert len(unit.updates.downloads) == 3
