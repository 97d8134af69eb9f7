"""Writing and deleting firmware variables."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.formats.efi.variables import Variable, VariableName


class VariableWriter(Protocol):
    def write(self, name: VariableName, variable: Variable) -> None:
        """Write a variable, even if it is equal already. The caller compares first, to limit NVRAM wear. Raises
        DeviceFault."""

    def delete(self, name: VariableName) -> None:
        """Delete a variable. No error if it does not exist. Raises DeviceFault."""
