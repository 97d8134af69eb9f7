"""The TPM of swtpm keeps the contract, behind our Linux adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.ports.destructive.tpm import Tpm
from tests.integ.tpm.tpm_on_terminal import TpmOnTerminal, tpm_on_terminal
from tests.unit.tpm.tpm_contract import RatchetContract, SealingContract, Site

ROOT_KEY = "0x81000001"
# More wrong passwords than the TPM of swtpm allows at first (TPM_PT_MAX_AUTH_FAIL).
WRONG_PASSWORDS = 4


class SwtpmSite(Site):
    """``software``: for tpm2-tools, which play the other programs."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._start()

    def _start(self) -> None:
        self.software: TpmOnTerminal = self._stack.enter_context(tpm_on_terminal(self._folder))
        self.tpm: Tpm = self.software.adapter

    @override
    def restart(self) -> None:
        self._stack.pop_all().close()
        self._start()

    @override
    def set_owner_password(self) -> None:
        self.software.tool("tpm2_changeauth", "-c", "owner", "secret")

    @override
    def clear(self) -> None:
        self.software.tool("tpm2_clear", "-c", "l")

    @override
    def lock_out(self) -> None:
        self.software.tool("tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000")
        index = "0x01500099"
        self.software.tool("tpm2_nvdefine", "-C", "o", "-s", "8", "-p", "right", "-a", "authread|authwrite", index)
        for _ in range(WRONG_PASSWORDS):
            self.software.refused("tpm2_nvread", "-C", index, "-P", "wrong", index)
        assert self.software.attribute("inLockout") == "1"

    @override
    def take_root_key_handle(self) -> None:
        key = str(self._folder / "key")
        self.software.tool("tpm2_createprimary", "-C", "o", "-G", "rsa", "-c", key)
        self.software.tool("tpm2_evictcontrol", "-C", "o", "-c", key, ROOT_KEY)
        self.software.tool("tpm2_flushcontext", "-t")

    @override
    def drop_root_key(self) -> None:
        self.software.tool("tpm2_evictcontrol", "-C", "o", "-c", ROOT_KEY)

    @override
    def extend(self, pcr: int) -> None:
        self.software.tool("tpm2_pcrextend", f"{pcr}:sha256={'11' * 32}")

    @override
    def undefine(self, index: int) -> None:
        self.software.tool("tpm2_nvundefine", "-C", "o", hex(index))

    @override
    def redefine(self, index: int, value: int) -> None:
        self.undefine(index)
        data = self._folder / "value"
        data.write_bytes(value.to_bytes(8, "big"))
        self.software.tool("tpm2_nvdefine", "-C", "o", "-s", "8", "-a", "authread|authwrite", hex(index))
        self.software.tool("tpm2_nvwrite", "-C", hex(index), "-i", str(data), hex(index))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield SwtpmSite(tmp_path, stack)


class TestSealing(SealingContract):
    pass


class TestRatchets(RatchetContract):
    pass
