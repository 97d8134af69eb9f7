"""How results for UEFI variables, TPM and RAID metadata are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.formats.json.value import Json as JsonValue


def option_lines(results: Sequence[OptionResult]) -> Iterator[str]:
    """Of what was asked for."""
    for one in results:
        if one.status is not OptionStatus.NOT_REQUESTED:
            yield f"{one.name}: {one.status.value}{'; ' if one.detail else ''}{one.detail}"


def option_rows(results: Sequence[OptionResult]) -> list[JsonValue]:
    return [{"name": one.name, "status": one.status.value, "detail": one.detail} for one in results]
