"""Options that several actions of ``gprov lab`` have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from gprov.apps.host.cli.options import one_of, words_for_completion
from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.disk_shapes import SHAPES, unit_spec, with_controllers
from gprov.apps.host.lab.nics import NICS
from gprov.apps.host.lab.own_platform import spec_of_platform
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.formats.lcd.models import Model


def _serial(text: str) -> str:
    if not text.strip() or not (text.isascii() and text.isprintable()):
        raise typer.BadParameter(f"must be printable ASCII, is {text!r}")
    return text


def on_controllers(spec: VirtualUnitSpec, data: str | None, recovery: str | None) -> VirtualUnitSpec:
    """The unit with its disks on the controllers of these names; None: as before. Raises BadInput."""
    wanted = [None if name is None else CONTROLLER_NAMES[name] for name in (data, recovery)]
    return with_controllers(spec, *wanted)


def new_spec(
    disks: str, firmware: FirmwareKind, serial: str, platforms: str | None, platform: str | None
) -> VirtualUnitSpec:
    """The unit with these disks, or of a platform of the user's table. Raises BadInput, DeviceMissing, DeviceFault."""
    if platforms is None and platform is None:
        return unit_spec(disks, firmware, serial)
    from gprov.apps.host.cli.userfile import chosen_platform, read_platforms

    if disks != USUAL_DISKS:
        raise typer.BadParameter("is decided by the platform", param_hint="'--disks'")
    plain = unit_spec(USUAL_DISKS, firmware, serial)
    return spec_of_platform(chosen_platform(read_platforms(platforms), platform), plain)


USUAL_DISKS = "sata"
LCDS: Mapping[str, Model | None] = {"none": None} | {str(model.value): model for model in Model}
_DISKS_HELP = "disks of a new unit: " + "; ".join(f"{name}: {shape.description}" for name, shape in SHAPES.items())

Workdir = Annotated[str, typer.Option("--workdir", metavar="DIR", help="where the unit's disks and logs are")]
Firmware = Annotated[FirmwareKind, typer.Option("--firmware", help="of a new unit")]
Disks = Annotated[
    str,
    typer.Option(
        "--disks",
        metavar="|".join(SHAPES),
        help=_DISKS_HELP,
        parser=one_of(SHAPES),
        autocompletion=words_for_completion(SHAPES),
    ),
]
Platforms = Annotated[
    str | None,
    typer.Option(
        "--platforms",
        metavar="FILE",
        help="a new unit is one of your platform table; your kernels and image belong to it "
        "(--kernel, --provision-kernel, --image)",
    ),
]
PlatformName = Annotated[
    str | None, typer.Option("--platform", metavar="CODENAME", help="which platform of that table the unit is")
]
CONTROLLER_NAMES = {bus.value: bus for bus in CONTROLLERS}
_CONTROLLERS_HELP = "; ".join(f"{bus.value}: {known.description}" for bus, known in CONTROLLERS.items())
ControllerOfData = Annotated[
    str | None,
    typer.Option(
        "--controller",
        metavar="MODEL",
        help=f"controller of the data disks of a new unit: {_CONTROLLERS_HELP}",
        parser=one_of(CONTROLLER_NAMES),
        autocompletion=words_for_completion(CONTROLLER_NAMES),
    ),
]
ControllerOfRecovery = Annotated[
    str | None,
    typer.Option(
        "--recovery-controller",
        metavar="MODEL",
        help="controller of RECOVERY's disk of a new unit: one that the firmware can start from",
        parser=one_of(CONTROLLER_NAMES),
        autocompletion=words_for_completion(CONTROLLER_NAMES),
    ),
]
Nic = Annotated[
    str | None,
    typer.Option(
        "--nic",
        metavar="MODEL",
        help="network interface of a new unit: "
        + "; ".join(f"{name}: {nic.description}" for name, nic in NICS.items()),
        parser=one_of(NICS),
        autocompletion=words_for_completion(NICS),
    ),
]
Netboot = Annotated[
    bool,
    typer.Option("--netboot", help="provisioned by its firmware, over the network: dnsmasq, iPXE (needs root)"),
]
Lcd = Annotated[
    str,
    typer.Option(
        "--lcd",
        metavar="|".join(LCDS),
        help="a new unit has a display of this model (docs/reference/displays.md)",
        parser=one_of(LCDS),
        autocompletion=words_for_completion(LCDS),
    ),
]
Bmc = Annotated[
    bool,
    typer.Option("--bmc", help="a new unit has a management controller (needs ipmi_sim of Debian's package openipmi)"),
]
Tpm = Annotated[
    bool,
    typer.Option("--tpm", help="a new unit has a TPM 2.0 (needs Debian's package swtpm)"),
]
Tls = Annotated[
    bool,
    typer.Option("--tls", help="the factory server of a new unit has https, with a CA of its own"),
]
SecureBoot = Annotated[
    bool,
    typer.Option(
        "--secure-boot",
        help="the firmware of a new unit has the lab's keys enrolled and starts only signed kernels (UEFI)",
    ),
]
Signed = Annotated[
    bool,
    typer.Option(
        "--signed",
        help="kernels of a new unit have the keys of the lab's owner, who signs its images (docs/how-to/signing.md)",
    ),
]
Serial = Annotated[str, typer.Option("--serial", metavar="TEXT", help="serial number of a new unit", parser=_serial)]
Report = Annotated[
    str | None, typer.Option("--report", metavar="FILE", help="where the JSON report goes (default: DIR/report.json)")
]
_BUILT = "(--kernel, --provision-kernel and --image together)"
Kernel = Annotated[
    str | None,
    typer.Option("--kernel", metavar="FILE", help=f"{Branding().boot_kernel} that is built already {_BUILT}"),
]
ProvisionKernel = Annotated[
    str | None,
    typer.Option(
        "--provision-kernel",
        metavar="FILE",
        help=f"{Branding().provision_kernel} that is built already {_BUILT}",
    ),
]
SignCertificate = Annotated[
    str | None,
    typer.Option(
        "--sign-cert", metavar="FILE", help="with --secure-boot and --kernel: certificate (PEM) that the firmware gets"
    ),
]
Image = Annotated[
    str | None,
    typer.Option("--image", metavar="FILE", help=f"{Branding().image_prefix}….upd that is made already {_BUILT}"),
]
