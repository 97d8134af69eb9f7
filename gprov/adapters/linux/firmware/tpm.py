"""The TPM through the kernel's device file, and the physical presence interface of the firmware (Linux
Documentation/security/tpm, Documentation/ABI/stable/sysfs-class-tpm, Documentation/ABI/testing/sysfs-driver-ppi)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.tpm.header import MAX_REPLY, stated_size
from gprov.ports.destructive.tpm import Tpm, TpmChannel

# Operations of the TCG PC Client Platform Physical Presence Interface Specification 1.30, table 2: for a TPM 1.2
# also what enables and activates it.
_TPM_2 = 2
_CLEAR = "5"
_ENABLE_ACTIVATE_CLEAR = "22"


class LinuxTpm(Tpm):
    """``device``: its folder in sysfs. ``nodes``: device files; the first one that exists is used. With the kernel's
    resource manager, other programs do not keep the device from being opened."""

    def __init__(self, device: str, nodes: tuple[str, ...] = ("/dev/tpmrm0", "/dev/tpm0")) -> None:
        self._device = device
        self._nodes = nodes

    @override
    def version(self) -> int | None:
        if not os.path.isdir(self._device):
            return None
        text = self._read("tpm_version_major")
        if not text.isascii() or not text.isdigit():
            raise DeviceFault(self._device, f"states the version {text[:20]!r}")
        return int(text)

    @override
    @contextmanager
    def open(self) -> Iterator[TpmChannel]:
        node = next((one for one in self._nodes if os.path.exists(one)), self._nodes[-1])
        try:
            fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        except OSError as exc:
            raise fault_from_oserror(node, "cannot open", exc) from exc
        try:
            yield _Device(fd, node)
        finally:
            os.close(fd)

    @override
    def request_clear(self) -> str:
        path = f"{self._device}/ppi/request"
        if not os.path.exists(path):
            raise DeviceMissing(path, "the firmware has no interface by which it can be cleared at its next start")
        wanted = _CLEAR if self.version() == _TPM_2 else _ENABLE_ACTIVATE_CLEAR
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, wanted.encode("ascii"))
            finally:
                os.close(fd)
        except OSError as exc:
            raise fault_from_oserror(path, f"operation {wanted} is refused", exc) from exc
        # "<operation>", or "0" for none; firmware may accept a request and not keep it.
        pending = self._read("ppi/request").split()
        if wanted not in pending:
            raise DeviceFault(path, f"operation {wanted} was accepted, but pending is {' '.join(pending) or 'nothing'}")
        return f"physical presence operation {wanted} is pending; transition: {self._read('ppi/transition_action')}"

    def _read(self, attribute: str) -> str:
        path = f"{self._device}/{attribute}"
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.read(fd, 4096).decode(errors="replace").strip()
            finally:
                os.close(fd)
        except OSError as exc:
            raise fault_from_oserror(path, "cannot read", exc) from exc


class _Device(TpmChannel):
    def __init__(self, fd: int, node: str) -> None:
        self._fd = fd
        self._node = node

    @override
    def send(self, command: bytes) -> bytes:
        try:
            os.write(self._fd, command)
            return _reply(self._fd, self._node)
        except OSError as exc:
            raise fault_from_oserror(self._node, "does not carry out the command", exc) from exc


def _reply(fd: int, node: str) -> bytes:
    """The driver returns a reply in one piece; a longer reply may come in several. Raises OSError, DeviceFault."""
    data = b""
    while True:
        part = os.read(fd, MAX_REPLY)
        data += part
        size = stated_size(data)
        if not part or len(data) > MAX_REPLY or (size is not None and len(data) >= size):
            break
    if not data:
        raise DeviceFault(node, "gives no reply")
    return data
