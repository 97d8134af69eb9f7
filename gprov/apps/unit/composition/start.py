"""Start and end of every app that runs as process 1: file systems, arguments, sinks, handling of all exceptions."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import override, set_value
from gprov.domain.boot.args import BootArguments, parse_boot_arguments
from gprov.domain.errors import DeviceFault, GprovError

# Virtual file systems, in the order of their dependencies.
_KERNEL_FILE_SYSTEMS = (
    ("proc", "/proc", ("nosuid", "nodev", "noexec")),
    ("sysfs", "/sys", ("nosuid", "nodev", "noexec")),
    ("devtmpfs", "/dev", ("nosuid", "mode=0755")),
    ("tmpfs", "/run", ("nosuid", "nodev", "mode=0755")),
)
_EFI = "/sys/firmware/efi"
# Pause after an unexpected error: long enough to read it, short enough for many retries a day.
_UNEXPECTED_ERROR_PAUSE = 120.0


def prepare_environment(container: UnitContainer, *, provisioning: bool) -> BootArguments:
    """Mount the virtual file systems, parse the kernel arguments, attach the sinks that every boot has.
    ``provisioning``: this is the provisioning kernel."""
    if os.getpid() == 1:
        _mount_kernel_file_systems(container)
    with open("/proc/cmdline", encoding="utf-8", errors="replace") as file:
        command_line = file.read().strip()
    arguments = parse_boot_arguments(os.environ, container.branding(), command_line)
    set_value(container.arguments, arguments)
    bus = container.bus()
    bus.attach(container.console_sink())
    bus.attach(container.display_sink())
    if arguments.no_reboot:
        allow_shell(container, provisioning=provisioning)
    if arguments.verbose:
        bus.attach(container.milestone_sink())
    else:
        # The system's journal copies the kernel log. A verbose console would show each line twice.
        _attach_kernel_log(container)
    if os.getpid() == 1:
        _mount_efivars(container)
    bus.milestone("init-started")
    return arguments


def allow_shell(container: UnitContainer, *, provisioning: bool) -> None:
    """A shell as root instead of a restart, for ``NO_REBOOT``, in the factory only: its server chose the arguments. In
    the field a person at the unit may have typed them, and a unit has to come back by itself."""
    if provisioning:
        override(container.power, container.shell_power)
    else:
        container.bus().warning(
            "NO_REBOOT is refused: only the provisioning kernel leaves a shell; restarting as usual"
        )


def run_as_init(container: UnitContainer, run: Callable[[], None]) -> None:
    """Run an app as process 1, report any exception, and restart the unit: process 1 must not end."""
    try:
        run()
    except Exception as exc:  # noqa: BLE001 - an exception that leaves process 1 is a kernel panic
        bus = container.bus()
        if isinstance(exc, GprovError):
            bus.error(exc)
        else:
            bus.error(f"unexpected error: {type(exc).__name__}")
            import traceback

            # Frames and lines only: the values in an exception may be secret.
            for line in traceback.format_tb(exc.__traceback__):
                bus.log(line.rstrip())
        bus.message(f"Restarting in {_UNEXPECTED_ERROR_PAUSE:g} s")
        bus.close()
        container.clock().sleep(_UNEXPECTED_ERROR_PAUSE)
    container.power().reboot()


def _mount_kernel_file_systems(container: UnitContainer) -> None:
    mounts = container.mounts()
    wanted = list(_KERNEL_FILE_SYSTEMS)
    for kind, target, options in wanted:
        try:
            mounts.mount(kind, target, kind, options)
        except DeviceFault as fault:
            if fault.errno != errno.EBUSY:
                raise


def _attach_kernel_log(container: UnitContainer) -> None:
    """A missing kernel log does not stop a boot."""
    try:
        container.bus().attach(container.kmsg_sink())
    except DeviceFault as fault:
        container.bus().warning(str(fault))


def _mount_efivars(container: UnitContainer) -> None:
    """A normal boot needs no variables: firmware without them causes only a warning."""
    if os.path.isdir(_EFI):
        try:
            container.mounts().mount("efivarfs", f"{_EFI}/efivars", "efivarfs", ("nosuid", "nodev", "noexec"))
        except DeviceFault as fault:
            container.bus().warning(str(fault))
