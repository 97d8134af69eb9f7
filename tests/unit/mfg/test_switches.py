from __future__ import annotations

import pytest

from gprov.domain.errors import BadInput
from gprov.domain.mfg.switches import Switch, parse_switches


def test_none() -> None:
    switches = parse_switches("PROVISION_MFG_TEST", "")
    assert not switches.active
    assert switches.fit_for_production


@pytest.mark.parametrize(
    "text", ["Skip-networking,No-wipe-disks", "no-WIPE-disks  skip-networking", "No-wipe-disks;Skip-networking,"]
)
def test_words_in_any_case(text: str) -> None:
    switches = parse_switches("x", text)
    assert switches.active == {Switch.SKIP_NETWORKING, Switch.NO_WIPE_DISKS}
    assert Switch.NO_WIPE_DISKS in switches
    assert Switch.NO_MANUFACTURE not in switches


@pytest.mark.parametrize("switch", Switch)
def test_only_verbose_is_fit_for_production(switch: Switch) -> None:
    assert parse_switches("x", switch.value).fit_for_production == (switch is Switch.VERBOSE_LOGGING)
    assert parse_switches("x", f"Verbose-logging {switch.value}").fit_for_production == (
        switch is Switch.VERBOSE_LOGGING
    )


def test_a_misspelt_switch_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        parse_switches("PROVISION_MFG_TEST", "No-wipe-disk,Skip-networking,1")
    assert [problem.place for problem in caught.value.problems] == ["No-wipe-disk", "1"]
