"""The recovery shell (``frmode=shell``): a shell as root for a person at the unit who has the admin password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import recovery_attachment_rule
from gprov.apps.unit.recovery.retention import prune_logs
from gprov.apps.unit.recovery.shell_access_file import ShellAccessFile
from gprov.apps.unit.recovery.stored_password import has_plain_text, hash_of_plain_text, stored_hash
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.recovery.volume import RecoveryVolume, mounted_recovery
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.apps.unit.reporting.transcript import Transcript
from gprov.domain.disk.model import Volume
from gprov.domain.errors import BadInput, DeviceFault, RefusedByPolicy
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.credentials import Secret
from gprov.domain.unit.shell_access import ATTEMPTS_PER_START, LOCK_SECONDS, ShellAccess
from gprov.ports.operator import Operator
from gprov.ports.secrets import PasswordHasher
from gprov.ports.shell import ConsoleShell

PASSWORD_SECONDS = 300.0
WRITABLE_SECONDS = 60.0
# A shell that was left open ends: the unit must come back by itself.
IDLE_SECONDS = 1800.0
ROOT_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class ShellPorts:
    """``flow.file_sink_at`` names logs after the shell. ``end_unsealing``: as of ``InitPorts``."""

    flow: FlowPorts
    operator: Operator
    hasher: PasswordHasher
    shell: ConsoleShell
    end_unsealing: Callable[[], None]


class RecoveryShell:
    """``find_root``: looks for the system's root for at most that many seconds and mounts it read-only. Returns its
    volume, None if there is none."""

    def __init__(self, ports: ShellPorts, context: UnitContext, find_root: Callable[[float], Volume | None]) -> None:
        self._ports = ports
        self._context = context
        self._bus = context.bus
        self._find_root = find_root

    def run(self) -> str:
        """Returns a message about how the session ended. Raises GprovError if there was none: RefusedByPolicy without a
        right password, DeviceMissing without RECOVERY."""
        ports, context = self._ports, self._context
        if not ports.operator.is_present:
            raise RefusedByPolicy("recovery shell: no display with keys and no console is present; nothing was done")
        rule = recovery_attachment_rule(ports.flow.smbios, context)
        with mounted_recovery(ports.flow.volumes, rule, context) as recovery:
            self._check_password()
            self._ports.end_unsealing()
            return self._session(recovery)

    def _check_password(self) -> None:
        """Raises RefusedByPolicy, BadInput (no password is stored), DeviceFault."""
        stored = self._stored_password()
        access = ShellAccessFile(self._ports.flow.volumes.files, self._context.log_folder, self._bus)
        for _ in range(ATTEMPTS_PER_START):
            self._pause(access.value.pause)
            typed = self._ports.operator.ask_secret("Recovery shell: password of the administrator", PASSWORD_SECONDS)
            if typed is None:
                raise RefusedByPolicy("recovery shell: no password was entered; nothing was done")
            if self._is_right(typed, stored, access):
                return
            self._bus.warning(f"recovery shell: wrong password ({access.value.failures} in a row)")
            self._ports.operator.show("Wrong password")
        raise RefusedByPolicy(f"recovery shell: {ATTEMPTS_PER_START} wrong passwords; nothing was done")

    def _is_right(self, typed: Secret, stored: PasswordHash, access: ShellAccessFile) -> bool:
        """Counted before it is checked: cutting the power in between must not save the count."""
        before = access.value
        if not access.record(before.with_failure()):
            self._pause(LOCK_SECONDS)
        right = self._ports.hasher.matches(typed, stored)
        if right:
            access.record(ShellAccess())
        return right

    def _stored_password(self) -> PasswordHash:
        secrets = StoredSecrets(self._ports.flow.volumes, self._context.mount_points.recovery)
        try:
            return stored_hash(secrets)
        except BadInput:
            if has_plain_text(secrets):
                return hash_of_plain_text(secrets, self._ports.hasher)
            raise

    def _pause(self, seconds: float) -> None:
        if seconds:
            self._bus.message(f"Recovery shell: the next password is accepted in {seconds:.0f} s")
            self._ports.flow.volumes.clock.sleep(seconds)

    def _session(self, recovery: RecoveryVolume) -> str:
        operator, context = self._ports.operator, self._context
        root = self._find_root(ROOT_SECONDS)
        writable = operator.confirm(
            "Shall the shell be able to write on the unit's volumes? No: they are mounted read-only", WRITABLE_SECONDS
        )
        self._bus.message(f"Recovery shell opened: volumes {'WRITABLE' if writable else 'read-only'}")
        with self._log(recovery, writable=writable):
            if root is not None and writable:
                self._remount(root, context.mount_points.root, "rw")
            transcript = Transcript(self._bus)
            end = self._ports.shell.run(self._greeting(recovery.volume, root, writable), transcript.add, IDLE_SECONDS)
            transcript.close()
            self._bus.message(f"Recovery shell closed: {end.value}")
        return f"Recovery shell: {end.value}"

    def _greeting(self, recovery: Volume, root: Volume | None, writable: bool) -> str:
        mode, points = "writable" if writable else "read-only", self._context.mount_points
        system = f"{root.node} is at {points.root}" if root is not None else "was not found"
        return (
            f"\nRecovery shell. This session is logged; it ends after {IDLE_SECONDS / 60:.0f} minutes without a key."
            f"\nRECOVERY: {recovery.node} is at {points.recovery}, {mode}"
            f"\nThe system's root: {system}{', ' + mode if root is not None else ''}"
            "\nLeave the shell with: exit. Then the unit restarts.\n"
        )

    @contextmanager
    def _log(self, recovery: RecoveryVolume, *, writable: bool) -> Iterator[None]:
        """With RECOVERY read-only for the session, the log is written after it: the event bus replays the session."""
        flow, context = self._ports.flow, self._context
        sink = QueuedSink(flow.file_sink_at(context.log_folder), flow.background)
        if writable:
            self._bus.attach(sink)
        else:
            self._write_beginning()
            self._remount_recovery(recovery, "ro")
        try:
            yield
        finally:
            if not writable:
                self._remount_recovery(recovery, "rw")
                self._bus.attach(sink)
            self._bus.detach(sink)
            prune_logs(flow.executor, flow.volumes.files, context)

    def _write_beginning(self) -> None:
        """What a power cut during the session leaves: that it began."""
        flow = self._ports.flow
        sink = QueuedSink(flow.file_sink_at(self._context.log_folder), flow.background)
        self._bus.attach(sink)
        self._bus.detach(sink)

    def _remount_recovery(self, recovery: RecoveryVolume, mode: str) -> None:
        if recovery.esp is not None:
            self._remount(recovery.esp, self._context.mount_points.esp, mode)
        self._remount(recovery.volume, self._context.mount_points.recovery, mode)

    def _remount(self, volume: Volume, target: str, mode: str) -> None:
        try:
            self._ports.flow.volumes.mounts.mount(volume.node, target, volume.contents.kind, ("remount", mode))
        except DeviceFault as fault:
            self._bus.warning(f"{target} cannot be mounted {mode}: {fault}")
