"""The first start after the installed system has reported that it is up: the security floor follows its image now. A
unit without RECOVERY does that at its next restore."""

from __future__ import annotations

from gprov.apps.unit.boot.installed_image import installed_image
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import recovery_attachment_rule
from gprov.apps.unit.recovery.image_trust import ImageTrust
from gprov.apps.unit.recovery.volume import mounted_recovery
from gprov.domain.errors import GprovError
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
            with mounted_recovery(ports.volumes, rule, context, _FIND_SECONDS):
                ImageTrust(ports.image_trust, context).confirm_installed(stem)
        except GprovError as error:
            context.bus.log(f"the security floor is looked at again before the next restore: {error}")
