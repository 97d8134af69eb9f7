"""A unit with a management controller: its account is made by provisioning, and proved by a login over the network."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.apps.host.lab.bmc import SimulatedBmc, simulated_bmc
from gprov.apps.host.lab.bmc_config import BMC_MAC, DELIVERED
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec, with_bmc
from gprov.apps.host.lab.lifecycle import PROVISION, UNIT_ARGUMENTS, Lab
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.server.store.database import store_path
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from tests.integ.bmc.remote import logs_in
from tests.integ.vm.conftest import RunStage
from tests.integ.vm.stored_passwords import stored_passwords

pytestmark = pytest.mark.vm

OWN = Branding().bmc_user
SECONDS = 600.0


@dataclass(frozen=True)
class Made:
    """A unit that was provisioned, and the password that the factory server has for its controller."""

    unit: VirtualUnit
    password: str


@pytest.fixture(scope="module", params=["uefi", pytest.param("bios", marks=pytest.mark.nightly)])
def made(
    request: pytest.FixtureRequest,
    container: LabContainer,
    small_products: Products,
    tmp_path_factory: pytest.TempPathFactory,
) -> Made:
    spec = with_bmc(unit_spec("sata", FirmwareKind(request.param), "LAB0BMC"))
    lab = Lab(container.processes(), container.stages(), lambda: small_products)
    unit, result = lab.provision(str(tmp_path_factory.mktemp("unit")), spec)
    assert result.passed, "\n".join([result.reason, *result.tail])
    credentials = stored_passwords(unit)
    return Made(unit, credentials.ipmi.reveal())


@pytest.fixture
def outside(container: LabContainer, made: Made) -> Iterator[SimulatedBmc]:
    """The unit's controller, which works while the unit is switched off."""
    with simulated_bmc(container.processes(), made.unit.bmc) as bmc:
        yield bmc


def test_the_password_of_the_factory_server_lets_in_and_no_other(
    outside: SimulatedBmc, made: Made, tmp_path: Path
) -> None:
    assert logs_in(outside, OWN, made.password, tmp_path)
    assert not logs_in(outside, OWN, made.password[:-1] + "_", tmp_path)
    assert not logs_in(outside, *DELIVERED, tmp_path)


def test_the_factory_server_lists_the_mac(made: Made) -> None:
    with closing(sqlite3.connect(f"file:{store_path(made.unit.path('server'))}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT mac FROM macs WHERE bmc").fetchall() == [(BMC_MAC,)]


@pytest.mark.parametrize(
    "text",
    [
        f"channel 1: MAC {BMC_MAC}, address 127.0.0.1",
        "event log has 1 entries",
        f"'{OWN}' becomes user 3",
        "user 2 (ADMIN) could log in and was disabled",
        f"password of user 3 ({OWN}) set",
    ],
)
def test_the_log_says_what_was_read_and_done(text: str, made: Made) -> None:
    console = Path(made.unit.serial_log(PROVISION)).read_text(errors="replace")
    assert text in console
    assert made.password not in console


def test_a_failure_switches_the_identify_light_on(
    container: LabContainer, small_products: Products, made: Made, run_stage: RunStage, tmp_path: Path
) -> None:
    unit = made.unit.overlay(str(tmp_path / "unit"), container.processes())
    arguments = ("mfgurl=http://10.0.2.2:1/manufData.json", *UNIT_ARGUMENTS)
    machine = unit.machine().booting(DirectKernel(small_products.provision_kernel, arguments))
    failed = Expectation(Ending.RESET, (INIT_STARTED, "MFG_FAILED"), SECONDS)
    run_stage("failure", unit, failed, machine)
    with simulated_bmc(container.processes(), unit.bmc) as bmc:
        assert [words.split()[:2] for words in bmc.switched()] == [["identify", "255"]]
