"""Writing and deleting firmware variables."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.formats.efi.variables import Variable, VariableName


class VariableWriter(Protocol):
    def write(self, name: VariableName, variable: Variable) -> None:
        """Set it, even if it has this value already: the caller compares, since NVRAM wears out. Raises DeviceFault."""

    def delete(self, name: VariableName) -> None:
        """No error if it does not exist. Raises DeviceFault."""
