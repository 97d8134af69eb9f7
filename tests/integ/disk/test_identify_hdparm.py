"""IDENTIFY DEVICE data of simulated drives: our parser against hdparm."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.drives.ata_model import BLOCK, CRYPTO, OVERWRITE, AtaModel, identify_data
from gprov.adapters.fake.drives.ata_security import SecurityUnit
from gprov.domain.formats.ata.identify import AfterTrim, Identify, parse_identify

Tool = Callable[..., str]

MODELS = st.builds(
    AtaModel,
    sectors=st.integers(1, (1 << 40)),
    sanitize=st.frozensets(st.sampled_from([CRYPTO, BLOCK, OVERWRITE]), min_size=1),
    antifreeze=st.booleans(),
    enhanced=st.booleans(),
    hpa=st.booleans(),
    dco=st.booleans(),
    wide_addresses=st.just(True),
    encrypts_all=st.booleans(),
    trim=st.booleans(),
    rotation_rate=st.sampled_from([1, 5400, 7200]),
    estimate_minutes=st.integers(1, 250).map(lambda units: 2 * units),
    serial=st.text("ABCXYZ019", min_size=1, max_size=20),
)
SUPPORTED: Mapping[str, Callable[[Identify], bool]] = {
    "Host Protected Area feature set": lambda found: found.hpa,
    "Device Configuration Overlay feature set": lambda found: found.dco,
    "SANITIZE feature set": lambda found: found.sanitize.supported,
    "SANITIZE_ANTIFREEZE_LOCK_EXT command": lambda found: found.sanitize.antifreeze,
    "CRYPTO_SCRAMBLE_EXT command": lambda found: found.sanitize.crypto_scramble,
    "BLOCK_ERASE_EXT command": lambda found: found.sanitize.block_erase,
    "OVERWRITE_EXT command": lambda found: found.sanitize.overwrite,
    "Device encrypts all user data": lambda found: found.encrypts_all,
    "Deterministic read ZEROs after TRIM": lambda found: found.after_trim is AfterTrim.ZEROS,
}


def hdparm(tool: Tool, raw: bytes) -> str:
    words = " ".join(f"{word:04x}" for word in struct.unpack("<256H", raw))
    return tool("hdparm", "--Istdin", stdin=words)


@given(model=MODELS, enabled=st.booleans(), locked=st.booleans(), frozen=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_identify_data_mean_the_same_to_hdparm(
    tool: Tool, model: AtaModel, enabled: bool, locked: bool, frozen: bool
) -> None:
    security = SecurityUnit()
    security.password = b"" if enabled else None
    security.locked, security.frozen = locked, frozen
    raw = identify_data(model, model.sectors, security)
    found, text = parse_identify(raw), hdparm(tool, raw)
    assert "Checksum: correct" in text
    assert f"Serial Number:      {found.serial}" in text
    assert re.search(rf"LBA48 +user addressable sectors: +{found.sectors}\n", text)
    assert {name for name in SUPPORTED if f"{name}\n" in text} == {
        name for name, states in SUPPORTED.items() if states(found)
    }
    _same_security(found, text.partition("Security: \n")[2])
    rate = "Solid State Device" if found.rotation_rate == 0 else str(found.rotation_rate)
    assert f"Nominal Media Rotation Rate: {rate}\n" in text


def _same_security(found: Identify, text: str) -> None:
    states = {
        "enabled": found.security.enabled,
        "locked": found.security.locked,
        "frozen": found.security.frozen,
        "supported: enhanced erase": found.security.enhanced_supported,
    }
    for name, state in states.items():
        line = re.search(rf"^(\tnot)?\t+{re.escape(name)}$", text, re.MULTILINE)
        assert line is not None
        assert (line[1] is None) == state, name
    assert found.security.erase_seconds is not None
    assert f"{found.security.erase_seconds / 60:.0f}min for SECURITY ERASE UNIT" in text
