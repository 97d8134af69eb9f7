"""Where the agent finds the files of the running system, of RECOVERY and of the kernel."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.boot_counts import REQUEST_FILE, REQUESTS_ACCEPTED
from gprov.domain.branding import Branding
from gprov.domain.image.retention import PARTIAL
from gprov.domain.mountpoints import MountPoints
from gprov.domain.platform.facts_file import FACTS_FILE
from gprov.domain.recovery_files import IMAGE_FOLDER, UPDATE_DECISION, UPDATE_FOLDER, UPDATE_OFFER, UPDATE_STATE
from gprov.domain.trust.published import PUBLISHED_FOLDER
from gprov.domain.update.config import CONFIG_FILE


@dataclass(frozen=True, kw_only=True)
class UpdatePaths:
    """``system``: root folder of the running system, "" for /. ``kernel``: in front of /run and /proc. ``recovery``:
    where RECOVERY is mounted."""

    branding: Branding
    recovery: str
    system: str = ""
    kernel: str = ""

    @staticmethod
    def below(root: str, branding: Branding) -> UpdatePaths:
        """All files below the folder ``root``, "" for the running system itself."""
        recovery = f"{root}{MountPoints.named(branding).recovery}"
        return UpdatePaths(branding=branding, recovery=recovery, system=root, kernel=root)

    @property
    def _settings(self) -> str:
        return f"{self.system}{self.branding.config_folder}"

    @property
    def configs(self) -> tuple[str, str]:
        """The first one that exists counts: of RECOVERY, which survives restores, or of the image."""
        return f"{self.recovery}/{UPDATE_FOLDER}/{CONFIG_FILE}", f"{self._settings}/{CONFIG_FILE}"

    @property
    def facts(self) -> str:
        return f"{self._settings}/{FACTS_FILE}"

    @property
    def request(self) -> str:
        return f"{self._settings}/{REQUEST_FILE}"

    @property
    def state(self) -> str:
        return f"{self.recovery}/{UPDATE_FOLDER}/{UPDATE_STATE}"

    @property
    def offer(self) -> str:
        return f"{self.recovery}/{UPDATE_FOLDER}/{UPDATE_OFFER}"

    @property
    def decision(self) -> str:
        return f"{self.recovery}/{UPDATE_FOLDER}/{UPDATE_DECISION}"

    @property
    def images(self) -> str:
        return f"{self.recovery}/{IMAGE_FOLDER}"

    def image(self, filename: str) -> str:
        return f"{self.images}/{filename}"

    def part(self, filename: str) -> str:
        """Of an image that is not complete, or waits for its restore."""
        return self.image(filename) + PARTIAL

    @property
    def boot_id(self) -> str:
        return f"{self.kernel}/proc/sys/kernel/random/boot_id"

    @property
    def requests_accepted(self) -> str:
        return f"{self.kernel}{REQUESTS_ACCEPTED}"

    @property
    def trust(self) -> str:
        return f"{self.kernel}{PUBLISHED_FOLDER}"
