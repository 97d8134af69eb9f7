"""The first start after the installed system has reported that it is up: the security floor follows its image now. A
unit without RECOVERY does that at its next restore."""

from __future__ import annotations

from gprov.apps.unit.boot.installed_image import installed_image
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import recovery_attachment_rule
from gprov.apps.unit.recovery.image_trust import ImageTrust
from gprov.apps.unit.recovery.volume import mounted_recovery
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.errors import GprovError
from gprov.domain.image.select import Preference, rank
from gprov.domain.trust import built_in

# This start is not to wait for a RECOVERY that is missing. Seconds.
_FIND_SECONDS = 3.0


class ConfirmedSystem:
    def __init__(self, ports: FlowPorts, context: UnitContext) -> None:
        self._ports = ports
        self._context = context

    def record(self) -> None:
        """The root is mounted. Nothing is done by a kernel without keys. A failure is reported."""
        ports, context = self._ports, self._context
        files = ports.volumes.files
        try:
            if files.status(built_in.CHAIN_PATH) is None:
                return
            stem = installed_image(files, context.mount_points.root, context.branding.image_prefix)
            rule = recovery_attachment_rule(ports.smbios, context)
            with unexpected_errors_translated(), mounted_recovery(ports.volumes, rule, context, _FIND_SECONDS):
                trust = ImageTrust(ports.image_trust, context)
                trust.confirm_installed(stem)
                self._report_without_image(trust)
        except GprovError as error:
            context.bus.log(f"the security floor is looked at again before the next restore: {error}")

    def _report_without_image(self, trust: ImageTrust) -> None:
        """While the system is up there is time to copy an image: after it has failed, the unit cannot restore itself.
        That is so after a restore from a stick that raised the floor, or if a kernel began to enforce before the images
        were signed. Raises DeviceFault."""
        context, folder = self._context, self._context.image_folder
        files = self._ports.volumes.files
        found = files.names(folder) if files.status(folder) is not None else ()
        names = rank(found, context.branding.image_prefix, Preference.LATEST).candidates
        reasons = [trust.refusal(f"{folder}/{name.filename}", name) for name in names]
        if not all(reasons):
            return
        newest = f"{names[0].stem} {reasons[0]}" if names else "it holds none"
        text = f"RECOVERY has no image that this unit may restore ({newest}): copy one there with its manifest"
        context.bus.error(text)
        context.bus.message(text)
