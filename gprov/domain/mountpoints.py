"""Mount points. A module of its own, since every boot imports it and imports delay the boot."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.branding import Branding


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoints:
    """Folders at which gprov mounts volumes."""

    recovery: str = "/mnt/RECOVERY"
    esp: str = "/mnt/RECOVERY/ESP"
    primary: str = "/mnt/PRIMARY"
    boot: str = "/mnt/BOOT"
    root: str = "/newroot"
    media: str = "/mnt/MEDIA"

    @property
    def all(self) -> tuple[str, ...]:
        return (self.recovery, self.esp, self.primary, self.boot, self.root, self.media)

    @staticmethod
    def named(branding: Branding) -> MountPoints:
        """Mount points with the names of the branding's labels."""
        recovery = f"/mnt/{branding.recovery_label}"
        primary, boot = (f"/mnt/{label}" for label in (branding.primary_label, branding.boot_label))
        return MountPoints(recovery=recovery, esp=f"{recovery}/{branding.esp_label}", primary=primary, boot=boot)
