"""The TPM is cleared: our adapter and codecs against the TPM of swtpm, with tpm2-tools as independent reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.firmware.tpm import LinuxTpm
from gprov.apps.unit.execution.erase.tpm_clearing import TpmClearing
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.formats.tpm.commands import clear
from gprov.domain.formats.tpm.replies import TpmReply, parse_reply
from tests.integ.tpm.software_tpm import PERSISTENT, own
from tests.integ.tpm.tpm_on_terminal import TpmOnTerminal, tpm_on_terminal


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[TpmOnTerminal]:
    with tpm_on_terminal(tmp_path) as found:
        yield found


def _cleared(tpm: TpmOnTerminal) -> OptionResult:
    return TpmClearing(tpm.adapter, FakeClock()).run()


def _sent(tpm: LinuxTpm) -> TpmReply:
    with tpm.open() as channel:
        return parse_reply(channel.send(clear()))


def test_nothing_of_an_owner_is_left(tpm: TpmOnTerminal, tmp_path: Path) -> None:
    own(tpm, tmp_path)
    result = _cleared(tpm)
    assert result.status is OptionStatus.DONE, result
    assert "1 persistent object" in result.detail
    assert "a password of the owner hierarchy" in result.detail
    assert tpm.handles("nv-index").strip() == ""
    assert tpm.handles("persistent").strip() == ""
    attributes = tpm.tool("tpm2_getcap", "properties-variable")
    assert attributes.split("ownerAuthSet:")[1].split()[0] == "0"
    # Again, of a TPM that is empty.
    assert _cleared(tpm).status is OptionStatus.DONE


@pytest.mark.parametrize(
    ("protect", "reason"),
    [
        (("tpm2_changeauth", "-c", "lockout", "secret"), "password of its lockout hierarchy"),
        (("tpm2_clearcontrol", "-C", "l", "s"), "TPM2_Clear is disabled"),
    ],
    ids=["password", "disabled"],
)
def test_a_protected_tpm_is_as_it_was_and_the_reason_is_stated(
    tpm: TpmOnTerminal, tmp_path: Path, protect: tuple[str, ...], reason: str
) -> None:
    own(tpm, tmp_path)
    tpm.tool(*protect)
    result = _cleared(tpm)
    assert result.status is OptionStatus.FAILED
    assert reason in result.detail
    assert PERSISTENT in tpm.handles("persistent").lower()
    if protect[0] == "tpm2_changeauth":
        # No attempt was counted: the password still works.
        tpm.tool("tpm2_clear", "-c", "l", "secret")


def test_the_response_codes_are_those_of_the_tpm(tpm: TpmOnTerminal) -> None:
    """Sent although the TPM states that it is protected."""
    device = tpm.adapter
    tpm.tool("tpm2_clearcontrol", "-C", "l", "s")
    assert "TPM_RC_DISABLED" in _sent(device).describe("lockout")
    tpm.tool("tpm2_clearcontrol", "-C", "p", "c")
    tpm.tool("tpm2_changeauth", "-c", "lockout", "secret")
    texts = [_sent(device).describe("lockout") for _ in range(2)]
    assert "password of its lockout hierarchy" in texts[0]
    assert "TPM_RC_LOCKOUT" in texts[1] or "password" in texts[1]
