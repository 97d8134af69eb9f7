"""Specification of a virtual unit, and the machine built from it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gprov.apps.host.lab.machine import E1000E, VIRTIO, DiskBus, Durability, Machine, Smbios, VirtualDisk, VirtualNic
from gprov.apps.host.lab.nics import NICS
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.lcd.models import Model

VARIABLES = "efivars.fd"
RECOVERY = "recovery.qcow2"
BMC = "bmc"
TPM = "tpm"
_FIRMWARE = {kind.value: kind for kind in FirmwareKind}
_BUSES = {bus.value: bus for bus in DiskBus}
_LCDS: Mapping[str, Model | None] = {str(model.value): model for model in Model}


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualUnitSpec:
    """The defaults match the platform QEMU-mfg-test of the default table. Sizes in bytes."""

    serial: str = "LAB0001"
    mac: str = f"{Branding().mac_prefix}:00:00:01"
    firmware: FirmwareKind = FirmwareKind.UEFI
    code_name: str = "QEMU-mfg-test"
    manufacturer: str = "GPROV_QEMU"
    product: str = "mfg_test"
    primaries: tuple[DiskBus, ...] = (DiskBus.AHCI,)
    primary_size: int = 20 * GIB
    recovery_size: int = 4 * GIB
    recovery_bus: DiskBus = DiskBus.USB
    # Provisioning is started by network boot and not by QEMU's option -kernel.
    netboot: bool = False
    lcd: Model | None = None
    # A management controller; of the platform QEMU-mfg-test-ipmi.
    bmc: bool = False
    # A TPM 2.0 that has no owner yet.
    tpm: bool = False
    # Its factory server has https, with a CA of its own.
    tls: bool = False
    # Its firmware has the lab's keys enrolled and starts only what is signed with them.
    secure_boot: bool = False
    # Its kernels have the keys of the lab's owner, and accept only what is signed with them.
    signed: bool = False
    # QEMU's name of the network interface's model (``nics``), "" for the usual one.
    nic: str = ""

    def machine(self, folder: str, durability: Durability = Durability.IGNORE_FLUSH) -> Machine:
        """Return the machine. ``folder``: that of the disks."""
        primaries = [
            VirtualDisk(
                name=f"primary{index}",
                file=f"{folder}/{primary_name(index)}",
                bus=bus,
                serial=f"LABDISK{index:04}",
                durability=durability,
            )
            for index, bus in enumerate(self.primaries)
        ]
        recovery = VirtualDisk(
            name="recovery",
            file=f"{folder}/{RECOVERY}",
            bus=self.recovery_bus,
            serial="LABSTICK0001",
            durability=durability,
            bios_bootable=True,
        )
        return Machine(
            firmware=self.firmware,
            variables=f"{folder}/{VARIABLES}" if self.firmware is FirmwareKind.UEFI else "",
            smbios=Smbios(self.manufacturer, self.product, self.serial),
            disks=(*primaries, recovery),
            nics=(VirtualNic(self.mac, self.nic or self._usual_nic),),
            lcd=self.lcd,
            bmc=f"{folder}/{BMC}" if self.bmc else "",
            tpm=f"{folder}/{TPM}" if self.tpm else "",
            secure_boot=self.secure_boot,
        )

    @property
    def _usual_nic(self) -> str:
        """OVMF has a built-in driver for virtio: it then performs PXE itself and downloads iPXE. The option ROMs of
        other interfaces are iPXE already, as on BIOS."""
        return VIRTIO if self.netboot and self.firmware is FirmwareKind.UEFI else E1000E


def primary_name(index: int) -> str:
    return f"primary{index}.qcow2"


def spec_text(spec: VirtualUnitSpec) -> bytes:
    """Serialise as JSON, for ``read_spec``."""
    plain = {
        "firmware": spec.firmware.value,
        "primaries": [bus.value for bus in spec.primaries],
        "recovery_bus": spec.recovery_bus.value,
    }
    values = asdict(spec) | plain
    # Units without these have the same text as before there were any: it is part of keys of the cache.
    del values["lcd"], values["bmc"], values["tpm"], values["tls"], values["nic"], values["secure_boot"]
    del values["signed"]
    display = {} if spec.lcd is None else {"lcd": str(spec.lcd.value)}
    controller = {"bmc": True} if spec.bmc else {}
    chip = {"tpm": True} if spec.tpm else {}
    encryption = {"tls": True} if spec.tls else {}
    interface = {"nic": spec.nic} if spec.nic else {}
    secured = {"secure_boot": True} if spec.secure_boot else {}
    owned = {"signed": True} if spec.signed else {}
    extras = display | controller | chip | encryption | interface | secured | owned
    return json.dumps(values | extras, indent=2).encode() + b"\n"


def read_spec(source: str, raw: bytes) -> VirtualUnitSpec:
    """Raises BadInput with every problem."""
    root = read_object(source, raw)
    spec = VirtualUnitSpec(
        serial=root.text("serial", required=True),
        mac=root.text("mac", required=True),
        firmware=root.one_of("firmware", _FIRMWARE, FirmwareKind.UEFI, required=True),
        code_name=root.text("code_name", required=True),
        manufacturer=root.text("manufacturer", required=True),
        product=root.text("product", required=True),
        primaries=_buses(root),
        primary_size=root.integer("primary_size", required=True, minimum=1),
        recovery_size=root.integer("recovery_size", required=True, minimum=1),
        recovery_bus=root.one_of("recovery_bus", _BUSES, DiskBus.USB, required=True),
        netboot=root.boolean("netboot"),
        lcd=root.one_of("lcd", _LCDS, None),
        bmc=root.boolean("bmc"),
        tpm=root.boolean("tpm"),
        tls=root.boolean("tls"),
        secure_boot=root.boolean("secure_boot"),
        signed=root.boolean("signed"),
        nic=root.one_of("nic", {name: name for name in NICS}, ""),
    )
    return finish(source, root, spec)


def _buses(root: JsonObject) -> tuple[DiskBus, ...]:
    names = root.texts("primaries", required=True)
    for name in names:
        if name not in _BUSES:
            root.problem("primaries", f"unknown bus {name!r}; known: {', '.join(_BUSES)}")
    return tuple(_BUSES[name] for name in names if name in _BUSES)
