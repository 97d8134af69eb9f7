"""Mount points. A module of its own: every boot needs it, and imports are time on every boot."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.branding import Branding


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoints:
    """Where volumes are mounted while gprov works on them."""

    recovery: str = "/mnt/RECOVERY"
    esp: str = "/mnt/RECOVERY/ESP"
    primary: str = "/mnt/PRIMARY"
    boot: str = "/mnt/BOOT"
    root: str = "/newroot"

    @property
    def all(self) -> tuple[str, ...]:
        return (self.recovery, self.esp, self.primary, self.boot, self.root)

    @staticmethod
    def named(branding: Branding) -> MountPoints:
        """Mount points are named after the volumes."""
        recovery = f"/mnt/{branding.recovery_label}"
        primary, boot = (f"/mnt/{label}" for label in (branding.primary_label, branding.boot_label))
        return MountPoints(recovery=recovery, esp=f"{recovery}/{branding.esp_label}", primary=primary, boot=boot)
