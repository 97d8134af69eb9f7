"""Arrays port: reads superblocks and sysfs directly, changes arrays with mdadm.

Arrays start "auto-read-only" (md's ``start_ro``): superblocks and synchronisation wait for the first write to the
array, so that reading an array changes none of its members.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.arrays import RunningArray
from gprov.domain.disk.arrayspec import ArraySpec
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.disk.md_superblock import SUPERBLOCK_SIZE, MemberRecord, parse_superblock, superblock_offsets
from gprov.domain.platform.model import RaidLevel
from gprov.ports.arrays import Arrays
from gprov.ports.destructive.array_writer import ArrayWriter
from gprov.ports.process import Processes

_SECONDS = 120.0
_MAGIC = (0xA92B4EFC).to_bytes(4, "little")
# Without udev mdadm creates the device node itself. Numbers are used downwards from here, as in mdadm.
_MAX_NUMBER = 127
_STATES_WITHOUT_ARRAY = ("", "clear", "inactive")


class MdArrays(Arrays, ArrayWriter):
    def __init__(self, processes: Processes, sysfs: str = "/sys", dev: str = "/dev") -> None:
        self._processes = processes
        self._sysfs = sysfs
        self._dev = dev

    @override
    def examine(self, node: str) -> MemberRecord | None:
        try:
            fd = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
            try:
                size = os.lseek(fd, 0, os.SEEK_END)
                found = [(place, os.pread(fd, SUPERBLOCK_SIZE, place)) for place in superblock_offsets(size)]
            finally:
                os.close(fd)
        except OSError as exc:
            raise fault_from_oserror(node, "cannot read the RAID superblock", exc) from exc
        records = (parse_superblock(node, raw, place) for place, raw in found)
        return next((record for record in records if record is not None), None)

    @override
    def running(self) -> tuple[RunningArray, ...]:
        names = sorted(
            name for name in self._names() if self._text(name, "md/array_state") not in _STATES_WITHOUT_ARRAY
        )
        return tuple(array for array in map(self._running, names) if array is not None)

    @override
    def create(self, spec: ArraySpec, nodes: Sequence[str]) -> RunningArray:
        self._set_parameter("start_ro")
        node = self._free_node()
        argv = ["mdadm", "--create", node, "--config=none", "--run", "--metadata=1.2", f"--uuid={spec.uuid}"]
        argv += [f"--homehost={spec.host}", f"--name={spec.name}", f"--level={spec.level.value}"]
        argv += [f"--raid-devices={len(nodes)}"]
        if spec.level is not RaidLevel.RAID0:
            # --force: RAID 5 with all members from the start. Without it mdadm rebuilds one member, and an array
            # that is degraded and not clean at a power cut does not start again by itself.
            argv += ["--bitmap=internal", "--force"]
        self._processes.run([*argv, *nodes], timeout=_SECONDS)
        array = self._started(node, spec.uuid)
        if spec.level is not RaidLevel.RAID0:
            self._write(f"{self._folder(node)}/md/sync_action", "frozen")
        return array

    @override
    def assemble(self, uuid: str, nodes: Sequence[str]) -> RunningArray:
        for node in nodes:
            record = self.examine(node)
            if record is None or record.array != uuid:
                # mdadm would start the array without this member and report no error.
                raise DeviceFault(node, f"is not a member of array {uuid}")
        self._set_parameter("start_ro")
        # Writes in progress at a power cut may be lost with a missing member. A file system recovers from that; a unit
        # that does not start does not.
        self._set_parameter("start_dirty_degraded")
        node = self._free_node()
        argv = ["mdadm", "--assemble", node, "--config=none", "--run", f"--uuid={uuid}", *nodes]
        try:
            self._processes.run(argv, timeout=_SECONDS)
            return self._started(node, uuid)
        except GprovError:
            # A partly assembled array keeps its members busy.
            self._processes.run(["mdadm", "--stop", node], timeout=_SECONDS, check=False)
            raise

    @override
    def stop(self, array: RunningArray) -> None:
        self._processes.run(["mdadm", "--stop", array.node], timeout=_SECONDS)

    @override
    def zero_superblocks(self, nodes: Sequence[str]) -> None:
        with ExitStack() as stack:
            fds: list[tuple[str, int]] = []
            for node in nodes:
                try:
                    fd = os.open(node, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
                except OSError as exc:
                    raise fault_from_oserror(node, "cannot open for writing", exc) from exc
                stack.callback(os.close, fd)
                fds.append((node, fd))
            # All writes before the first flush, so that a power cut rarely leaves some superblocks.
            for node, fd in fds:
                try:
                    _overwrite(fd)
                except OSError as exc:
                    raise fault_from_oserror(node, "cannot overwrite the RAID superblock", exc) from exc
            for node, fd in fds:
                try:
                    os.fsync(fd)
                except OSError as exc:
                    raise fault_from_oserror(node, "cannot flush", exc) from exc

    def _names(self) -> list[str]:
        try:
            return [name for name in os.listdir(f"{self._sysfs}/class/block") if name.startswith("md")]
        except OSError as exc:
            raise fault_from_oserror(f"{self._sysfs}/class/block", "cannot list block devices", exc) from exc

    def _running(self, name: str) -> RunningArray | None:
        device = self._device(name)
        disks = self._text(name, "md/raid_disks")
        if device is None or not disks.isdecimal():
            return None
        missing = self._text(name, "md/degraded")
        try:
            parts = os.listdir(f"{self._sysfs}/class/block/{name}/slaves")
        except OSError:  # the array was stopped meanwhile
            return None
        members = frozenset(number for number in map(self._device, parts) if number is not None)
        working = int(disks) - (int(missing) if missing.isdecimal() else 0)
        uuid = self._text(name, "md/uuid").lower()
        return RunningArray(
            node=f"{self._dev}/{name}", device=device, uuid=uuid, disks=int(disks), working=working, members=members
        )

    def _started(self, node: str, uuid: str) -> RunningArray:
        for array in self.running():
            if array.node == node and array.uuid == uuid:
                return array
        raise DeviceFault(node, "the array is not running although mdadm reported success")

    def _free_node(self) -> str:
        taken = set(self._names())
        for number in range(_MAX_NUMBER, -1, -1):
            if f"md{number}" not in taken:
                return f"{self._dev}/md{number}"
        raise DeviceFault(f"{self._dev}/md", f"all array numbers up to {_MAX_NUMBER} are in use")

    def _folder(self, node: str) -> str:
        return f"{self._sysfs}/class/block/{os.path.basename(node)}"

    def _device(self, name: str) -> DeviceNumber | None:
        major, _, minor = self._text(name, "dev").partition(":")
        return DeviceNumber(int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None

    def _text(self, name: str, attribute: str) -> str:
        """Content of an attribute; "" if it does not exist or the device was removed."""
        try:
            with open(f"{self._sysfs}/class/block/{name}/{attribute}", "rb") as file:
                return file.read(4096).decode(errors="replace").strip()
        except OSError:
            return ""

    def _set_parameter(self, name: str) -> None:
        self._write(f"{self._sysfs}/module/md_mod/parameters/{name}", "1")

    def _write(self, path: str, text: str) -> None:
        try:
            with open(path, "wb", buffering=0) as file:
                file.write(text.encode())
        except OSError as exc:
            raise fault_from_oserror(path, f"cannot set to {text}", exc) from exc


def _overwrite(fd: int) -> None:
    for place in superblock_offsets(os.lseek(fd, 0, os.SEEK_END)):
        if os.pread(fd, len(_MAGIC), place) == _MAGIC:
            os.pwrite(fd, bytes(SUPERBLOCK_SIZE), place)
