"""Every key of manufData.json has an effect: with another value, or without it, provisioning does something else.

The keys are those that the parsers ask for: a new one fails until the document of ``full_manuf`` has it, and then until
a change of its value changes what can be observed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg import fileread, manuf, specread, stepread
from gprov.domain.mfg.burnin import specread as burnin_specread
from gprov.domain.platform.inventory import Cpus
from gprov.domain.unit.nics import Nic
from tests.unit.flow.driver import UnitDriver
from tests.unit.keys.full_manuf import full_manuf, unit_with
from tests.unit.keys.outcome import Outcome, changed, other_value, outcome
from tests.unit.keys.parsed_keys import Place, keys_of, path_text, places

TABLE_URL = "http://factory.invalid/files/appliance.json"
DIGESTS = {"Sha1": "0" * 40, "Sha256": "0" * 64}
# Other values that are as valid, by the end of a place; the others are changed by ``other_value``.
OTHERS: dict[str, Json] = {
    ".LogEndpoint": "http://other.invalid/",
    ".Dest": "docs/other.pdf",
    ".SizeTolerancePct": 0,
    ".Vendor": "0x1022",
    ".Device": "0x1000",
    ".Class": "0x0108",
    "USB[0].Class": "0x03",
    "Recovery.Vendor": "Other",
    "MainDiskConfigs[0][0].Vendor": "Other",
    ".When": "BeforeMfg",
    ".ExitStatus": "MustFail",
    ".Command": "say else",
    ".SerNumRegex": "^OTHER",
}
# Keys without which no file is valid, and what is said then.
REQUIRED = {
    "Src",
    "LogEndpoint",
    "ValidationData",
    "DevCodeName",
    "Recovery",
    "MainDiskConfigs",
    "Size",
    "Command",
    "TimeLimit",
    "Seconds",
    "Percent",
}
# Left out, they mean what the document says, or another key says as much.
DEFAULTS = {
    "ValidationData[0].Recovery.Quantity": "1",
    "ValidationData[0].MainDiskConfigs[0][0].Quantity": "1",
    "ValidationData[0].OUINicsSequential": "false",
    "ValidationData[0].Devices.Exact": "false",
    "Files[0].Size": "what there is room for",
    "Files[0].Sha1": "Sha256 is enough",
    "CustomPlatCfgSteps[0].BiosSettings.Size": "what there is room for",
    "CustomPlatCfgSteps[0].BiosSettings.Sha1": "Sha256 is enough",
    "CustomPlatCfgSteps[0].IpmiSettings.Size": "what there is room for",
    "CustomPlatCfgSteps[0].IpmiSettings.Sha1": "Sha256 is enough",
    "StashFiles[0].Size": "what there is room for",
    "StashFiles[0].Sha1": "Sha256 is enough",
    "CustomPlatCfgSteps[0].ConfigSteps[0].Files[0].Size": "what there is room for",
    "CustomPlatCfgSteps[0].ConfigSteps[0].Files[0].Sha1": "Sha256 is enough",
    "CustomPlatCfgSteps[0].ConfigSteps[0].Commands[0].ExitStatus": "MustSucceed",
}


def fits(unit: UnitDriver) -> object:
    return unit.provision()


def misfits(unit: UnitDriver) -> object:
    """Nothing of this machine is as specified."""
    machine = unit.machine
    machine.disks.pop()
    machine.nics = (Nic(name="usb0", mac="02:00:00:00:00:01", carrier=True),)
    machine.smbios = build_table(FakeSystem(serial="OTHER-1", bios=("Other", "2.0", "01/02/2024"), modules=()))
    machine.disks[0].vendor, machine.disks[0].model = "Other", "Disk"
    machine.inventory = replace(machine.inventory, cpus=Cpus(("Slow",), 1, 2), memory=1 << 28, pci=(), usb=())
    return unit.provision()


SCENARIOS: tuple[Callable[[UnitDriver], object], ...] = (fits, misfits)
ALL = [place for place, _ in places(full_manuf())]


@cache
def baseline() -> tuple[Outcome, ...]:
    return tuple(outcome(unit_with(full_manuf()), scenario) for scenario in SCENARIOS)


def effects(document: Json) -> list[str]:
    """Names of the scenarios in which something else happens."""
    found = (outcome(unit_with(document), scenario) for scenario in SCENARIOS)
    return [
        scenario.__name__
        for scenario, one, before in zip(SCENARIOS, found, baseline(), strict=True)
        if one.acts != before.acts
    ]


def value_at(place: Place) -> Json:
    return dict(places(full_manuf()))[place]


def other(place: Place) -> Json:
    if place[-1] in DIGESTS:
        return DIGESTS[str(place[-1])]
    ends = [end for end in OTHERS if f".{path_text(place)}".endswith(end)]
    return OTHERS[max(ends, key=len)] if ends else other_value(value_at(place))


def test_the_document_has_every_key_that_the_parsers_ask_for() -> None:
    asked = keys_of(manuf, fileread, specread, stepread, burnin_specread) - {"Run", "ES"}  # prefixes of words
    present = {str(place[-1]) for place in ALL if "DmiMatches" not in place[:-1]}
    assert asked == present | {"ApplianceJsonUrl", "IPMI", "FRU", "ME", "SDR"}


def test_the_document_provisions_the_machine_and_reports_all_differences_of_another() -> None:
    first, second = baseline()
    assert "REBOOT" in str(first.acts[0])
    assert "is not as specified" in str(second.acts[0])


@pytest.mark.parametrize("place", [place for place in ALL if other(place) is not None], ids=path_text)
def test_another_value_has_an_effect(place: Place) -> None:
    assert effects(changed(full_manuf(), place, other(place))) != []


@pytest.mark.parametrize("place", ALL, ids=path_text)
def test_a_missing_key_has_an_effect_or_is_refused(place: Place) -> None:
    document = changed(full_manuf(), place, None)
    if path_text(place) in DEFAULTS:
        assert effects(document) == []
        return
    found = outcome(unit_with(document), fits)
    if place[-1] in REQUIRED or place == ("Files",):
        assert "BadInput" in str(found.acts[0])
    assert effects(document) != []


def test_a_platform_table_to_be_fetched_has_an_effect() -> None:
    assert effects({**full_manuf(), "ApplianceJsonUrl": TABLE_URL}) == ["fits", "misfits"]


@pytest.mark.parametrize("key", ["IPMI", "FRU", "ME"])
def test_versions_of_the_management_controller_have_an_effect(key: str) -> None:
    place = ("ValidationData", 0, "FirmwareVer", key)
    assert effects(changed(full_manuf(), place, "no such version")) == ["fits", "misfits"]


def test_a_version_that_nothing_tells_is_refused() -> None:
    document = changed(full_manuf(), ("ValidationData", 0, "FirmwareVer", "SDR"), "51")
    assert "IPMI does not tell it" in str(outcome(unit_with(document), fits).acts[0])


def test_comments_have_no_effect() -> None:
    assert effects({**full_manuf(), "_comment": "nothing"}) == []
