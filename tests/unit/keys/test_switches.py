"""Every test switch has an effect on a provisioning, besides making the unit unfit for production."""

from __future__ import annotations

from functools import cache

import pytest

from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.switches import Switch
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver
from tests.unit.keys.full_manuf import full_manuf, programs, unit_with
from tests.unit.keys.full_platform import TABLE
from tests.unit.keys.outcome import changed, encoded, outcome

STEPS = ("CustomPlatCfgSteps", 0, "ConfigSteps", 0, "Verbose")


def quiet_steps() -> UnitDriver:
    """What its commands print is not logged."""
    return unit_with(changed(full_manuf(), STEPS, False))


def with_own_table() -> UnitDriver:
    """Another platform table is to be used for identification."""
    unit = unit_with({**full_manuf(), "ApplianceJsonUrl": f"{BASE_URL}/appliance.json"})
    entry: Json = TABLE["Variants"][0]  # type: ignore[index]
    names = {"DevCodeName": "QEMU-mfg-test", "DmiMbMfg": "GPROV_QEMU", "DmiProdName": "mfg_test"}
    model = {"DmiProdModelRegex": "", "DmiPMOverrideTyp": 0, "DmiPMOverrideFld": "", "CPU": ""}
    rest = {"NumDataDisks": 1, "SwRaidlevel": -1, "SerNumField": "system-serial-number"}
    unit.origin.content[f"{BASE_URL}/appliance.json"] = encoded({"Variants": [{**entry, **names, **model, **rest}]})  # type: ignore[dict-item]
    return unit


def used() -> UnitDriver:
    """Provisioned before."""
    unit = units.running()
    programs(unit)
    return unit


UNITS = (quiet_steps, with_own_table, used)


@cache
def baseline() -> tuple[object, ...]:
    return tuple(provisioned(make(), "") for make in UNITS)


def provisioned(unit: UnitDriver, word: str) -> object:
    """Without documents: with any switch but one there is no QA document."""

    def start(unit: UnitDriver) -> object:
        try:
            return unit.provision(PROVISION_MFG_TEST=word)
        finally:
            unit.factory.documents.clear()

    return outcome(unit, start, switches=word)


@pytest.mark.parametrize("switch", Switch)
def test_a_switch_has_an_effect(switch: Switch) -> None:
    assert any(provisioned(make(), switch.value) != before for make, before in zip(UNITS, baseline(), strict=True))


def test_the_units_are_provisioned_or_stop_where_they_should() -> None:
    ended = [str(one.acts[0]) for one in baseline()]  # type: ignore[attr-defined]
    assert "REBOOT" in ended[0]
    assert "going no further" in ended[1]
    assert "REBOOT" in ended[2]
    assert MANUF_URL in quiet_steps().origin.content
