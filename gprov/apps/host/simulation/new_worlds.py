"""Worlds to start from: a blank machine of a platform, and a factory with its files."""

from __future__ import annotations

from dataclasses import replace

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel, build_loader
from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.apps.host.simulation.factory_files import RECOVERY_SIZE, hardware_specification, publish
from gprov.apps.host.simulation.firmware_table import build_smbios, identifying_arguments
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus
from gprov.domain.mfg.config_tool import ToolUse, tool_of
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import Platform, RaidLevel, ValidateMethod
from gprov.domain.unit.nics import ANY_MAC, Nic, own_nics

IMAGE_NAME = "WIDGET.LNX.SHINY.2026-01-15.1.upd"
SERIAL = "SIM0001"


def new_world(
    seed: int = 0,
    *,
    build_number: int = 100,
    level: RaidLevel | None = None,
    disks: int = 1,
    branding: Branding | None = None,
    firmware: FirmwareKind = FirmwareKind.UEFI,
) -> World:
    """A world of the default platform, or of one like it with an array of ``disks`` data disks."""
    platform = replace(default_table()[0], raid_level=level, data_disks=disks)
    return world_of(platform, branding or Branding(), firmware, seed, build_number=build_number)


def world_of(
    platform: Platform, branding: Branding, firmware: FirmwareKind, seed: int = 0, *, build_number: int = 100
) -> World:
    """A blank machine of this platform, and a factory that serves an image, a kernel and manufData.json under the names
    of ``branding``. ``build_number``: of the kernel. Raises HardwareMismatch if the platform cannot be simulated."""
    smbios = build_smbios(platform, SERIAL)
    machine = SimulatedMachine(firmware=firmware, smbios=smbios, nics=_nics(platform, branding), seed=seed)
    machine.bmc = FakeController() if platform.ipmi else None
    machine.setups = {program: FakeSetup() for use in ToolUse if (program := tool_of(platform, use))}
    for index in range(platform.data_disks):
        machine.add_disk(platform.disk_size, serial=f"primary{index}")
    on_sata = platform.recovery_media.validate is ValidateMethod.SATA
    machine.add_disk(RECOVERY_SIZE, bus=Bus.ATA if on_sata else Bus.USB, serial="recovery")
    world = World(
        machine=machine,
        branding=branding,
        platforms=(platform,),
        loader=build_loader(branding),
        arguments=identifying_arguments(platform, smbios, SERIAL),
    )
    kernel = build_kernel(build_number)
    image = f"{branding.image_prefix}{IMAGE_NAME.removeprefix(Branding().image_prefix)}"
    branded = own_nics(machine.nics, (branding.mac_prefix,))
    specification = hardware_specification(platform, nics=len(machine.nics), own_nics=len(branded))
    publish(world.origin, {image: build_image(kernel, branding), branding.boot_kernel: kernel}, specification)
    return world


def _nics(platform: Platform, branding: Branding) -> tuple[Nic, ...]:
    """As many interfaces as the platform has ports, with MACs that it counts as its own."""
    info = platform.nic_info
    count = max(1, info.wan_index + 1, len(info.names)) + len(info.diag_ports)
    prefix = next((prefix for prefix in info.mac_prefixes if prefix != ANY_MAC), branding.mac_prefix)
    start = [octet.zfill(2) for octet in prefix.lower().strip(":").split(":")][:5]
    middle = ["00"] * (5 - len(start))
    return tuple(
        Nic(name=f"eth{i}", mac=":".join([*start, *middle, f"{i + 1:02x}"]), driver="e1000", carrier=True)
        for i in range(count)
    )
