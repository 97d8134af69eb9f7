"""A normal boot from the root with this label, up to the hand-over; prints the modules that it imported, and what else
it started. For test_normal_boot.py.

In a mount namespace of its own, with the interpreter's options and the modules of an initramfs.

python -ISB normal_boot_program.py CHECKOUT DISK MOUNT_POINT {NAME=FILE of a replaced module}…
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing, too, would be in the list
    from contextlib import AbstractContextManager
    from typing import NoReturn

    from gprov.domain.disk.model import Disk
    from gprov.ports.block import DeviceChanges

CHECKOUT, DISK, MOUNT_POINT, *REPLACED = sys.argv[1:]
NO_CONSOLES = (MOUNT_POINT, MOUNT_POINT, MOUNT_POINT)
STARTED: list[str] = []


def hook(event: str, _arguments: object) -> None:
    if event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system"):
        STARTED.append(event)


def use(name: str, file: str) -> None:
    """As simple as can be: what this imports would be in the list."""
    module = type(sys)(name)
    module.__file__ = file
    sys.modules[name] = module
    with open(file, encoding="utf-8") as source:
        exec(compile(source.read(), file, "exec"), vars(module))


def boot() -> None:
    from typing_extensions import override

    from gprov.adapters.linux.console.late_display import LateDisplay
    from gprov.adapters.linux.console.log import ConsoleLog
    from gprov.adapters.linux.console.panel import LinuxPanel
    from gprov.adapters.linux.disk.block import SysfsBlockDevices
    from gprov.adapters.linux.filesystem.mounts import LinuxMounts
    from gprov.adapters.linux.lcd.discovery import find_ports
    from gprov.apps.init.container import InitContainer
    from gprov.apps.unit.composition.start import prepare_environment
    from gprov.apps.unit.composition.wiring import set_value
    from gprov.domain.mountpoints import MountPoints
    from gprov.ports.events import EventSink

    class HandedOver(BaseException):
        pass

    class NotNormal(BaseException):
        pass

    class OneDisk(SysfsBlockDevices):
        """Other disks of this machine are of no concern."""

        @override
        def disks(self) -> tuple[Disk, ...]:
            return tuple(disk for disk in super().disks() if disk.node == DISK)

        @override
        def changes(self) -> AbstractContextManager[DeviceChanges]:
            raise NotNormal("a normal boot finds its root in the first scan")

    class Mounts(LinuxMounts):
        @override
        def switch_root(self, target: str, init: str) -> NoReturn:
            raise HandedOver

    class NoSink(EventSink):
        name = "none"

        @override
        def publish(self, event: object) -> None: ...

        @override
        def close(self) -> None: ...

    for name in ("gprov.adapters.linux.events.kmsg", "gprov.apps.init.main"):
        __import__(name)  # without opening the kernel's log, which would change settings of this machine

    mounts = Mounts()
    mounts.mount("tmpfs", "/run", "tmpfs", ())
    container = InitContainer()
    display = LateDisplay(lambda: bool(find_ports(MOUNT_POINT, MOUNT_POINT, ())), container.lcd)
    set_value(container.mounts, mounts)
    set_value(container.blocks, OneDisk(include_loop=True))
    set_value(container.console_log, ConsoleLog("/dev/null"))
    set_value(container.panel, LinuxPanel(container.clock(), container.console_log(), (display,), NO_CONSOLES))
    set_value(container.mount_points, MountPoints(root=MOUNT_POINT))
    set_value(container.kmsg_sink, NoSink())
    prepare_environment(container, provisioning=False)
    try:
        container.boot().run()
    except HandedOver:
        return


if __name__ == "__main__":
    sys.path.insert(0, CHECKOUT)
    for each in REPLACED:
        use(*each.split("="))
    sys.addaudithook(hook)
    boot()
    print(*STARTED)
    print(*sorted(sys.modules), sep="\n")
