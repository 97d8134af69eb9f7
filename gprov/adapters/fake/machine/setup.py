"""Setup of the simulated machine's firmware or management controller, as a configuration tool shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.domain.mfg.config_tool import StorageMode, ToolAbility


@dataclass(kw_only=True)
class FakeSetup:
    """State that survives restarts. ``pending_storage``, ``pending_settings``: in effect from the next restart on.
    ``stubborn``: what is set is forgotten at the next restart, as with a setup that another program controls."""

    abilities: frozenset[ToolAbility] = field(default_factory=lambda: frozenset(ToolAbility))
    storage: StorageMode = StorageMode.AHCI
    settings: bytes = b""
    password: str = ""
    pending_storage: StorageMode | None = None
    pending_settings: bytes | None = None
    stubborn: bool = False

    def restart(self) -> None:
        if not self.stubborn:
            self.storage = self.pending_storage or self.storage
            self.settings = self.settings if self.pending_settings is None else self.pending_settings
        self.pending_storage = self.pending_settings = None
