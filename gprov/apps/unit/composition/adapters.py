"""The Linux adapter of each port. The functions import it when it is made, not before: a normal boot uses few of them.

A type checker compares the adapter with the port, which is the return type of the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable
    from typing import Protocol

    from gprov.adapters.linux.console.log import ConsoleLog
    from gprov.domain.boot.args import BootArguments
    from gprov.domain.branding import Branding
    from gprov.domain.mountpoints import MountPoints
    from gprov.ports.archive import Archives
    from gprov.ports.arrays import Arrays
    from gprov.ports.attention import Attention
    from gprov.ports.background import Background
    from gprov.ports.block import BlockDevices
    from gprov.ports.bmc import Bmc
    from gprov.ports.clock import Clock, Randomness
    from gprov.ports.destructive.array_writer import ArrayWriter
    from gprov.ports.destructive.filesystem_maker import FileSystemMaker
    from gprov.ports.destructive.image_unpacker import ImageUnpacker
    from gprov.ports.destructive.partitioner import Partitioner
    from gprov.ports.display import Display, Panel
    from gprov.ports.events import EventSink
    from gprov.ports.files import Files
    from gprov.ports.filesystem import FileSystems, Mounts
    from gprov.ports.media import MediaSearch
    from gprov.ports.power import Power
    from gprov.ports.process import Processes
    from gprov.ports.secrets import PasswordHasher
    from gprov.ports.shell import ConsoleShell
    from gprov.ports.signatures import SignatureVerifier
    from gprov.ports.start_display import StartDisplay

    class ImageArchives(Archives, ImageUnpacker, Protocol):
        """Verifies and unpacks images."""


def clock() -> Clock:
    from gprov.adapters.linux.system.clock import SystemClock

    return SystemClock()


def randomness() -> Randomness:
    from gprov.adapters.linux.system.random import SystemRandomness

    return SystemRandomness()


def background() -> Background:
    from gprov.adapters.linux.system.background import ThreadBackground

    return ThreadBackground()


def processes() -> Processes:
    from gprov.adapters.linux.system.process import SystemProcesses

    return SystemProcesses()


def power() -> Power:
    from gprov.adapters.linux.system.power import SystemPower

    return SystemPower()


def console_log() -> ConsoleLog:
    from gprov.adapters.linux.console.log import ConsoleLog

    return ConsoleLog()


def panel(*, clock: Clock, log: ConsoleLog, arguments: BootArguments, make_lcd: Callable[[], Display]) -> Panel:
    from gprov.adapters.linux.console.late_display import LateDisplay
    from gprov.adapters.linux.console.panel import LinuxPanel
    from gprov.adapters.linux.lcd.discovery import find_ports

    lcd = LateDisplay(lambda: bool(find_ports("/sys", "/dev", (arguments.lcd_manufacturer,))), make_lcd)
    return LinuxPanel(clock, log, (lcd,))


def bmc(*, clock: Clock) -> Bmc:
    from gprov.adapters.linux.ipmi.device import IpmiDevice

    return IpmiDevice(clock)


def attention(*, background: Background, bmc: Bmc) -> Attention:
    from gprov.adapters.linux.console.attention import UnitAttention

    return UnitAttention(background, bmc)


def console_shell(*, clock: Clock, mounts: Mounts) -> ConsoleShell:
    from gprov.adapters.linux.console.eligible import operator_terminals
    from gprov.adapters.linux.console.shell import PtyShell

    return PtyShell(clock, operator_terminals, mounts)


def start_display(*, clock: Clock, background: Background, arguments: BootArguments, new_root: str) -> StartDisplay:
    """Imports here what its copy of the process needs later, when the files of the initramfs are gone."""
    from gprov.adapters.linux.lcd.display import CrystalfontzDisplay, lcd_search
    from gprov.adapters.linux.lcd.start_display import LcdStartDisplay

    search = lcd_search("/sys", "/dev", (arguments.lcd_manufacturer,))
    return LcdStartDisplay(lambda log: CrystalfontzDisplay(search, clock, background, log), clock, new_root)


def lcd(*, clock: Clock, background: Background, arguments: BootArguments, log: Callable[[str], None]) -> Display:
    from gprov.adapters.linux.lcd.display import CrystalfontzDisplay, lcd_search

    return CrystalfontzDisplay(lcd_search("/sys", "/dev", (arguments.lcd_manufacturer,)), clock, background, log)


def blocks() -> BlockDevices:
    from gprov.adapters.linux.disk.block import SysfsBlockDevices

    return SysfsBlockDevices()


def mounts() -> Mounts:
    from gprov.adapters.linux.filesystem.mounts import LinuxMounts

    return LinuxMounts()


def files(*, mount_points: MountPoints) -> Files:
    from gprov.adapters.linux.files.files import LinuxFiles

    return LinuxFiles(mount_points.all)


def media_search(*, mount_points: MountPoints) -> MediaSearch:
    from gprov.adapters.linux.filesystem.media import LinuxMediaSearch

    return LinuxMediaSearch(mount_points.media, mount_points.all)


def filesystems(*, processes: Processes) -> FileSystems:
    from gprov.adapters.linux.filesystem.tools import LinuxFileSystems

    return LinuxFileSystems(processes)


def partitioner(*, blocks: BlockDevices, clock: Clock) -> Partitioner:
    from gprov.adapters.linux.disk.partition import PartedPartitioner

    return PartedPartitioner(blocks, clock)


def arrays(*, processes: Processes) -> Arrays:
    from gprov.adapters.linux.disk.arrays import MdArrays

    return MdArrays(processes)


def array_writer(*, processes: Processes) -> ArrayWriter:
    from gprov.adapters.linux.disk.arrays import MdArrays

    return MdArrays(processes)


def filesystem_maker(*, processes: Processes) -> FileSystemMaker:
    from gprov.adapters.linux.filesystem.tools import LinuxFileSystems

    return LinuxFileSystems(processes)


def image_archives(*, processes: Processes, branding: Branding) -> ImageArchives:
    from gprov.adapters.linux.archive import XzTarArchives

    return XzTarArchives(processes, branding=branding, accounts_folder="/etc")


def hasher() -> PasswordHasher:
    from gprov.adapters.linux.system.passwords import CryptPasswordHasher

    return CryptPasswordHasher()


def signature_verifier() -> SignatureVerifier:
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier

    return LibcryptoVerifier()


def console_sink(*, log: ConsoleLog, arguments: BootArguments) -> EventSink:
    from gprov.adapters.linux.events.sinks import ConsoleSink

    return ConsoleSink(log, verbose=arguments.verbose)


def kmsg_sink() -> EventSink:
    from gprov.adapters.linux.events.kmsg import KmsgSink

    return KmsgSink()


def milestone_sink() -> EventSink:
    from gprov.adapters.linux.events.milestones import MilestoneSink

    return MilestoneSink()


def file_sink_at(*, clock: Callable[[], Clock], stage: str) -> Callable[[str], EventSink]:
    """Makes a log file, named after the stage, in a folder."""

    def make(folder: str) -> EventSink:
        from gprov.adapters.linux.events.sinks import FileSink

        return FileSink(clock(), folder, stage)

    return make
