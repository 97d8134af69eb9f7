"""SMART / Health Information log page of NVMe drives (page 02h; NVMe base specification 2.0, figure 207)."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

HEALTH_LOG, HEALTH_LOG_SIZE = 0x02, 512
# Bits of the critical warning, byte 0.
_WARNINGS = (
    "the available spare is below its threshold",
    "a temperature is out of its range",
    "the reliability is degraded",
    "the media are read-only",
    "the backup of the volatile memory has failed",
    "the persistent memory region is unreliable",
)
_ABSOLUTE_ZERO = 273


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLog:
    """``temperature``: degrees Celsius, None if the drive states none. ``media_errors``: errors of the media that the
    drive could not correct, since it was made."""

    warning_bits: int
    temperature: int | None
    media_errors: int

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(text for bit, text in enumerate(_WARNINGS) if self.warning_bits >> bit & 1)


def parse_health_log(data: bytes) -> HealthLog:
    """Raises BadInput if the page is too short."""
    if len(data) < HEALTH_LOG_SIZE:
        raise BadInput("health log", [Problem("", f"has {len(data)} bytes, expected {HEALTH_LOG_SIZE}")])
    kelvin = int.from_bytes(data[1:3], "little")
    return HealthLog(
        warning_bits=data[0],
        temperature=kelvin - _ABSOLUTE_ZERO if kelvin else None,
        media_errors=int.from_bytes(data[160:176], "little"),
    )


def serialise_health_log(log: HealthLog) -> bytes:
    data = bytearray(HEALTH_LOG_SIZE)
    data[0] = log.warning_bits
    kelvin = 0 if log.temperature is None else log.temperature + _ABSOLUTE_ZERO
    data[1:3] = kelvin.to_bytes(2, "little")
    data[160:176] = log.media_errors.to_bytes(16, "little")
    return bytes(data)
