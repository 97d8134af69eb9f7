"""OVMF's variable store with keys of Secure Boot, as virt-firmware reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from virt.firmware.efi import guids, siglist
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.apps.host.lab.runner import FIRMWARE_VARIABLES
from gprov.apps.host.lab.variable_store import enrolled_store
from gprov.domain.errors import BadInput

needs_ovmf = pytest.mark.skipif(not Path(FIRMWARE_VARIABLES).exists(), reason="needs ovmf")
CERTIFICATE = b"\x30\x82certificate"


@needs_ovmf
def test_another_reader_finds_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "store.fd"
    path.write_bytes(enrolled_store(Path(FIRMWARE_VARIABLES).read_bytes(), CERTIFICATE, [bytes(32), bytes([1] * 32)]))
    found = Edk2VarStore(str(path)).get_varlist()
    assert sorted(found) == ["KEK", "PK", "db", "dbx"]
    for name in ("KEK", "PK", "db"):
        [entry] = siglist.EfiSigDB(found[name].data)
        assert (str(entry.guid), found[name].attr) == (guids.EfiCertX509, 0x27)
        assert CERTIFICATE in found[name].data
    assert [str(entry.guid) for entry in siglist.EfiSigDB(found["dbx"].data)] == [guids.EfiCertSha256] * 2
    assert {str(found[name].guid) for name in ("db", "dbx")} == {guids.EfiImageSecurityDatabase}
    assert {str(found[name].guid) for name in ("PK", "KEK")} == {guids.EfiGlobalVariable}


@needs_ovmf
def test_a_store_with_variables_is_refused() -> None:
    store = enrolled_store(Path(FIRMWARE_VARIABLES).read_bytes(), CERTIFICATE)
    with pytest.raises(BadInput, match="is not empty"):
        enrolled_store(store, CERTIFICATE)


def test_another_file_is_refused() -> None:
    with pytest.raises(BadInput, match="is not of OVMF's kind"):
        enrolled_store(bytes(1000), CERTIFICATE)
