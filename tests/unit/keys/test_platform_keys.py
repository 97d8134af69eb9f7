"""Every key of a platform table has an effect on the life of a unit, or is only passed on to programs in the image."""

from __future__ import annotations

from functools import cache

import pytest

from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.domain.errors import BadInput
from gprov.domain.formats.json.value import Json
from gprov.domain.platform import table
from tests.unit.flow.driver import UnitDriver
from tests.unit.keys.full_platform import TABLE, unit_with_table
from tests.unit.keys.outcome import Outcome, changed, other_value, outcome
from tests.unit.keys.parsed_keys import Place, keys_of, path_text, places

# gprov does nothing with them but to write them into platform_facts.json.
FOR_PROGRAMS_IN_THE_IMAGE = {"Familyname", "Virttype", "Partoffset", "Lowmemory", "Prototype"}
# Other values that are as valid; the others are changed by ``other_value``.
OTHERS: dict[str, Json] = {
    "DmiProdModelRegex": "^OX-2$",
    "DmiPMOverrideTyp": 2,
    "DmiPMOverrideFld": "Family",
    "SerNumField": "system-serial-number",
    "WANIndex": 0,
    "SharedDiagPorts": [1],
    "DefaultNamesNoDiag": ["One", "Two"],
    "MACPrefix": ["56:78:90"],
    "IPMIChannel": 5,
    "NumDataDisks": 3,
    "SwRaidlevel": 0,
    "FakeraidType": "DDF",
    "Virttype": 3,
    "LocateRDMethod": "9p",
    "ValidateRDMethod": "sata",
    "FsType": "ext3",
    "FsOptsAdditional": "lazytime",
    "Lcd": "635",
    "DiskSTol": 1,
    "DiskTTol": 1,
}
# Left out, they mean what the document says.
DEFAULTS = {"LocateRDMethod": "byLabel", "FsType": "ext4", "FsOptsOverride": "false"}
ALL = [place for place, _ in places(TABLE)]
FIELDS = [place for place in ALL if len(place) > 2]


def provision(unit: UnitDriver) -> object:
    return unit.provision()


def start(unit: UnitDriver) -> object:
    return unit.boot()


def erase(unit: UnitDriver) -> object:
    return unit.boot({"DATA_ERASE": "1", "DATA_ERASE_SERIAL": SERIAL})


def life(document: Json) -> Outcome:
    return outcome(unit_with_table(document), provision, start, start, erase)


def refusals(document: Json) -> str:
    """All problems, "" for a valid table."""
    try:
        unit_with_table(document)
    except BadInput as error:
        return "\n".join(error.details())
    return ""


@cache
def baseline() -> Outcome:
    return life(TABLE)


def other(place: Place) -> Json:
    key = str(place[-1])
    return OTHERS[key] if key in OTHERS else other_value(dict(places(TABLE))[place])


def test_the_document_has_every_key_that_the_parser_asks_for() -> None:
    assert keys_of(table) == {str(place[-1]) for place in ALL}


def test_the_table_is_that_of_the_machine() -> None:
    ended = [str(one) for one in baseline().acts[0]]  # type: ignore[attr-defined]
    assert ended == ["StopReason.REBOOT", "StopReason.REBOOT", "StopReason.SWITCHED_ROOT", "StopReason.REBOOT"]


@pytest.mark.parametrize("place", [place for place in FIELDS if other(place) is not None], ids=path_text)
def test_another_value_has_an_effect(place: Place) -> None:
    found, before, key = life(changed(TABLE, place, other(place))), baseline(), str(place[-1])
    if key in FOR_PROGRAMS_IN_THE_IMAGE:
        assert found.acts == before.acts
        assert found.passed_on != before.passed_on
    else:
        assert found.acts != before.acts


@pytest.mark.parametrize("place", FIELDS, ids=path_text)
def test_a_missing_key_has_an_effect_or_is_refused(place: Place) -> None:
    document = changed(TABLE, place, None)
    if problems := refusals(document):
        assert path_text(place) in problems or place[-1] == "DmiPMOverrideFld"
    else:
        assert (life(document) == baseline()) is (place[-1] in DEFAULTS)


def test_comments_have_no_effect() -> None:
    assert life(changed(TABLE, ("Variants", 0, "_comment"), "nothing")) == baseline()
