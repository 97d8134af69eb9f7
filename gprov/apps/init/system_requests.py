"""A request of the running system on the root volume: read, counted before it is acted on, withdrawn. Most boots have
none."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.domain.boot.boot_counts import REQUEST_FILE
from gprov.domain.boot.boot_request import (
    BootRequest,
    UnreadableRequest,
    parse_boot_request,
    serialise_boot_request,
    with_try,
)
from gprov.domain.boot.facts import Found, Mounted, RootSearch
from gprov.domain.disk.model import Volume
from gprov.domain.errors import BadInput, DeviceFault, InternalError

_REQUEST_BYTES = 4096


class SystemRequests:
    """The request on a root, which is mounted read-only before and after each method but ``withdraw_unmounted``."""

    def __init__(self, ports: VolumePorts, context: UnitContext) -> None:
        self._ports = ports
        self._root = context.mount_points.root
        self._path = f"{self._root}{context.branding.config_folder}/{REQUEST_FILE}"
        self._bus = context.bus

    def read(self) -> BootRequest | UnreadableRequest:
        """The request that is there."""
        try:
            return parse_boot_request(self._path, self._ports.files.read(self._path, _REQUEST_BYTES))
        except (BadInput, DeviceFault) as error:
            return UnreadableRequest(str(error))

    def begin(self, root: RootSearch) -> Volume | None:
        """Count this start as one that begins to act on the request of this root. Returns its volume; None: the count
        cannot be written, so it must not begin, since it could do so for ever."""
        request = root.mount.request if isinstance(root, Found) and isinstance(root.mount, Mounted) else None
        if not isinstance(root, Found) or request is None or isinstance(request, UnreadableRequest):
            raise InternalError("a request of the system without a root that holds it")
        try:
            self._write(root.volume, serialise_boot_request(with_try(request)))
        except DeviceFault as fault:
            self._bus.warning(f"the request of the system is not acted on: {fault}")
            return None
        self._bus.log("the system has requested this")
        return root.volume

    def withdraw(self, volume: Volume, reason: str) -> None:
        self._bus.warning(f"the request of the system is withdrawn: {reason}")
        try:
            self._write(volume, None)
        except DeviceFault as fault:
            self._bus.warning(f"the request of the system stays: {fault}")

    def withdraw_unmounted(self, volume: Volume, reason: str) -> None:
        """After a restore or erase that failed. If PRIMARY was wiped meanwhile, there is nothing to withdraw."""
        mounts = self._ports.mounts
        try:
            mounts.mount(volume.node, self._root, volume.contents.kind, ("ro",))
            try:
                self.withdraw(volume, reason)
            finally:
                mounts.unmount(self._root)
        except DeviceFault as fault:
            self._bus.log(f"the request of the system cannot be withdrawn: {fault}")

    def _write(self, volume: Volume, content: bytes | None) -> None:
        """None: remove the file."""
        mounts, kind = self._ports.mounts, volume.contents.kind
        mounts.mount(volume.node, self._root, kind, ("remount", "rw"))
        try:
            if content is None:
                self._ports.files.remove(self._path)
            else:
                self._ports.files.replace(self._path, content)
        finally:
            mounts.mount(volume.node, self._root, kind, ("remount", "ro"))
