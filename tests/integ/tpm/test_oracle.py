"""What is sealed and counted in a TPM, as tpm2-tools read it: with them, and root rights, a customer would try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.apps.unit.execution.tpm.ratchets import SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX, TpmRatchets
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.domain.formats.tpm.policy import pcr_policy
from gprov.domain.formats.tpm.structures import sized
from gprov.domain.trust.ratchets import RatchetValues
from gprov.domain.unit.cap import CAP_PCR
from gprov.domain.unit.sealed_file import parse_sealed
from tests.integ.tpm.tpm_on_terminal import TpmOnTerminal, tpm_on_terminal

SECRET = b"a hash of a password"


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[TpmOnTerminal]:
    with tpm_on_terminal(tmp_path) as found:
        yield found


def test_the_policy_is_that_of_tpm2_tools(tpm: TpmOnTerminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    for pcrs in ((CAP_PCR,), (7, CAP_PCR)):
        words = ",".join(map(str, pcrs))
        tpm.tool("tpm2_createpolicy", "--policy-pcr", "-l", f"sha256:{words}", "-L", str(policy))
        assert policy.read_bytes() == pcr_policy({pcr: bytes(32) for pcr in pcrs})


def test_other_programs_unseal_before_the_cap_and_not_after_it(tpm: TpmOnTerminal, tmp_path: Path) -> None:
    sealing = TpmSealing(tpm.adapter, FakeClock())
    [part] = parse_sealed("file", sealing.seal(SECRET)).parts
    public, private, loaded = tmp_path / "public", tmp_path / "private", tmp_path / "loaded"
    public.write_bytes(sized(part.public))
    private.write_bytes(sized(part.private))

    def try_to_unseal(run: str) -> str:
        tpm.tool("tpm2_load", "-C", "0x81000001", "-u", str(public), "-r", str(private), "-c", str(loaded))
        # With the empty password instead of a policy, never.
        tpm.refused("tpm2_unseal", "-c", str(loaded))
        unsealed = ("tpm2_unseal", "-c", str(loaded), "-p", f"pcr:sha256:{CAP_PCR}")
        try:
            return tpm.tool(*unsealed) if run == "works" else tpm.refused(*unsealed)
        finally:
            tpm.tool("tpm2_flushcontext", "-t")
            tpm.tool("tpm2_flushcontext", "-l")

    assert try_to_unseal("works").encode() == SECRET
    sealing.end()
    assert "policy check failed" in try_to_unseal("fails")
    # It is not among the PCRs that can be set back.
    tpm.refused("tpm2_pcrreset", str(CAP_PCR))
    assert "policy check failed" in try_to_unseal("fails")


def test_numbers_are_in_indices_that_others_read_and_cannot_write(tpm: TpmOnTerminal, tmp_path: Path) -> None:
    TpmRatchets(tpm.adapter, FakeClock()).raise_to(RatchetValues(20261130, 3))
    value = tmp_path / "value"
    for index, number in ((SECURITY_FLOOR_INDEX, 20261130), (TRUST_VERSION_INDEX, 3)):
        tpm.tool("tpm2_nvread", hex(index), "-o", str(value))
        assert int.from_bytes(value.read_bytes(), "big") == number
        value.write_bytes(bytes(8))
        for authorization in ("o", hex(index)):
            tpm.refused("tpm2_nvwrite", "-C", authorization, "-i", str(value), hex(index))
        tpm.tool("tpm2_nvread", hex(index), "-o", str(value))
        assert int.from_bytes(value.read_bytes(), "big") == number


def test_a_cleared_tpm_holds_nothing_of_gprov(tpm: TpmOnTerminal) -> None:
    TpmRatchets(tpm.adapter, FakeClock()).raise_to(RatchetValues(1, 1))
    TpmSealing(tpm.adapter, FakeClock()).seal(SECRET)
    assert tpm.handles("nv-index").strip()
    assert tpm.handles("persistent").strip()
    tpm.tool("tpm2_clear", "-c", "l")
    assert not tpm.handles("nv-index").strip()
    assert not tpm.handles("persistent").strip()
