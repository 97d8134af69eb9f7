"""Every kernel argument has an effect: with it, a start of a simulated unit does something else than without.

The names are those that the parser asks its environment for: a new argument fails until it has an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.apps.host.simulation.emergency_stick import plug_emergency_image
from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.domain.boot.args import parse_boot_arguments
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import NEVER, NORMAL, UnitDriver
from tests.unit.keys.outcome import outcome

ERASE = {"DATA_ERASE": "1"}
CONFIRMED = {**ERASE, "DATA_ERASE_SERIAL": SERIAL}


def blank() -> UnitDriver:
    return units.blank()


def running() -> UnitDriver:
    return units.running()


def asking_for_tokens() -> UnitDriver:
    """Its factory provisions no unit without one, and issues none."""
    unit = units.blank()
    unit.factory.strict = True
    return unit


def stranger() -> UnitDriver:
    """No platform matches it."""
    unit = units.blank()
    unit.machine.smbios = build_table(FakeSystem(product="stranger"))
    return unit


def elsewhere() -> UnitDriver:
    """Its factory has a second manufData.json."""
    unit = units.blank()
    unit.origin.content[f"{BASE_URL}/other.json"] = b"{}"
    return unit


def with_operator() -> UnitDriver:
    unit = units.running()
    unit.machine.operator_present = True
    return unit


def with_newer_image() -> UnitDriver:
    """Its next start restores it; the image has a newer kernel than RECOVERY."""
    unit = units.running()
    unit.add_image(kernel=200)
    unit.remove_flag()
    return unit


def with_stick() -> UnitDriver:
    unit = units.running()
    plug_emergency_image(unit.world)
    return unit


def with_late_stick() -> UnitDriver:
    unit = units.running()
    stick = plug_emergency_image(unit.world)
    stick.appears_at, stick.announced = 20.0, True
    return unit


def without_primary() -> UnitDriver:
    unit = units.running()
    unit.machine.disks[0].appears_at = NEVER
    return unit


def without_image() -> UnitDriver:
    unit = units.running()
    unit.remove("RECOVERY", f"/Image/{IMAGE_NAME}")
    unit.remove_flag()
    return unit


def degraded() -> UnitDriver:
    unit = units.running(level=RaidLevel.RAID1, disks=2)
    del unit.machine.disks[0]
    return unit


def of_bios() -> UnitDriver:
    return units.running(firmware=FirmwareKind.BIOS)


# Argument: its value, the unit, and the other arguments of the start; without ``mfgurl`` it is a start of the normal
# kernel.
Entry = tuple[str, Callable[[], UnitDriver], Mapping[str, str]]
PROVISION = {"mfgurl": MANUF_URL}
ARGUMENTS: dict[str, Entry] = {
    "real_root": ("LABEL=OTHER", running, {}),
    "DATA_ERASE": ("1", running, NORMAL),
    "DATA_ERASE_SERIAL": (SERIAL, running, ERASE),
    "DATA_ERASE_OPTIONS": ("no-such-option", running, CONFIRMED),
    "frmode": ("shell", with_operator, NORMAL),
    "mfgurl": (f"{BASE_URL}/other.json", elsewhere, PROVISION),
    "mfgca": (f"sha256:{'0' * 64}", blank, PROVISION),
    "PREFERRED_UPDATE": ("oldest", with_newer_image, {}),
    "PROTO_IDENT": (default_table()[0].code_name, stranger, PROVISION),
    "KERNEL_OVERRIDE": ("recovery", with_newer_image, {}),
    "PROVISION_XLOG": ("http://other:8901/", blank, PROVISION),
    "PROVISION_TOKEN": ("0" * 32, asking_for_tokens, PROVISION),
    "PROVISION_VERBOSE": ("1", blank, PROVISION),
    "PROVISION_CONT_LOGGING": ("1", blank, PROVISION),
    "PROVISION_MFG_TEST": ("Stop-after-validate", blank, PROVISION),
    "PROVISION_EMERGENCY": ("off", with_stick, NORMAL),
    "PROVISION_EMERGENCY_WAIT": ("30", with_late_stick, NORMAL),
    "PROVISION_KEY_WINDOW": ("0", with_operator, NORMAL),
    "PROVISION_ROOT_WAIT": ("5", without_primary, NORMAL),
    "PROVISION_ARRAY_WAIT": ("5", degraded, NORMAL),
    "PROVISION_FAILURE_HOLD": ("7", without_image, {}),
    "PROVISION_LCD_MANUFACTURER": ("ACME", blank, PROVISION),
    "PROVISION_BOOT_ARGS": ("nomodeset", blank, PROVISION),
    "PROVISION_LOADER_FALLBACK": ("1", of_bios, {"quiet": ""}),
}
# Process 1 heeds it before a flow begins, where no simulated unit shows it.
SHOWN_ELSEWHERE = {"NO_REBOOT": "apps/test_no_reboot.py::test_the_provisioning_kernel_leaves_a_shell"}


class Recorded(Mapping[str, str]):
    """An empty environment that keeps the names it is asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    @override
    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        raise KeyError(key)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(())

    @override
    def __len__(self) -> int:
        return 0


def started(make: Callable[[], UnitDriver], arguments: Mapping[str, str]) -> object:
    def start(unit: UnitDriver) -> object:
        return unit.provision(**arguments) if "mfgurl" in arguments else unit.boot(dict(arguments))

    return outcome(make(), start)


def test_every_argument_has_an_entry() -> None:
    environment = Recorded()
    parse_boot_arguments(environment, Branding())
    assert environment.asked == ARGUMENTS.keys() | SHOWN_ELSEWHERE.keys()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_has_an_effect(name: str) -> None:
    value, make, others = ARGUMENTS[name]
    assert started(make, {**others, name: value}) != started(make, others)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_same_start_does_the_same(name: str) -> None:
    """Otherwise each argument would seem to have an effect. Nor does a name that means nothing."""
    _, make, others = ARGUMENTS[name]
    before = started(make, others)
    assert started(make, others) == before
    assert started(make, {**others, "PROVISION_NO_SUCH_ARGUMENT": "1"}) == before


def test_arguments_with_the_prefix_of_a_brand() -> None:
    environment = Recorded()
    parse_boot_arguments(environment, replace(Branding(), environment_prefix="ACME_"))
    names = ARGUMENTS.keys() | SHOWN_ELSEWHERE.keys()
    assert environment.asked == {name.replace("PROVISION_", "ACME_") for name in names}


def test_the_tests_that_show_other_arguments_exist() -> None:
    for place in SHOWN_ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (Path(__file__).parents[1] / file).read_text()
