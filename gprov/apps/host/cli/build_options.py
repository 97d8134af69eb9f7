"""Options of ``gprov build`` and what their values become."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.initramfs.build_number import NAME, given_build_number
from gprov.apps.host.initramfs.builds import BEST_LEVEL, Builder
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.firmware import INSTALLED, FirmwareFile
from gprov.apps.host.initramfs.hostfiles import read_text
from gprov.apps.host.initramfs.kernel_settings import (
    BASE_FILE,
    SETTINGS_FILE,
    KernelSettings,
    chosen_firmware,
    is_name,
    parse_settings,
)
from gprov.apps.host.initramfs.own_names import OwnNames
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.shipped import shipped_folder
from gprov.apps.host.initramfs.signing import KernelSigner, require_signing_tool
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.branding import Branding
from gprov.domain.branding_file import parse_branding
from gprov.domain.errors import BadInput
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.trust import MAX_CA_BYTES, OwnCa, parse_ca

_BUILDROOT = shipped_folder()
FlavorOption = Annotated[Flavor, typer.Option("--flavor", help="which programs the initramfs holds")]
FlavorIfRecorded = Annotated[
    Flavor | None,
    typer.Option(
        "--flavor", help="which programs the initramfs holds; needed without --from-record", show_default=False
    ),
]
Output = Annotated[str, typer.Option("--output", metavar="FILE", help="written whole or not at all")]
Report = Annotated[bool, typer.Option("--report", help="print what takes how much space")]
Level = Annotated[
    int,
    typer.Option(
        "--level",
        min=1,
        max=BEST_LEVEL,
        metavar=f"1..{BEST_LEVEL}",
        help="of compression; 9 is fifteen times as fast as the default, and an eighth larger",
    ),
]
LevelIfRecorded = Annotated[
    int | None,
    typer.Option(
        "--level",
        min=1,
        max=BEST_LEVEL,
        metavar=f"1..{BEST_LEVEL}",
        help="of compression",
        show_default=str(BEST_LEVEL),
    ),
]
FreezeSpec = Annotated[str, typer.Option("--spec", metavar="FILE", help="freeze specification")]
BuiltInCa = Annotated[
    str | None,
    typer.Option("--ca", metavar="FILE", help="CA certificate (PEM): the unit trusts no other https server"),
]
PlatformsOption = Annotated[
    str | None,
    typer.Option("--platforms", metavar="FILE", help="platform table of your units (default: the built-in one)"),
]
BrandingOption = Annotated[
    str | None,
    typer.Option("--branding", metavar="FILE", help="your names: fields of a branding as JSON, or TOML (*.toml)"),
]
SPEC = os.path.join(_BUILDROOT, "initramfs.toml")
CONFIG = os.path.join(_BUILDROOT, "kernel", BASE_FILE)
SETTINGS = os.path.join(_BUILDROOT, "kernel", SETTINGS_FILE)
SettingsFile = Annotated[
    str, typer.Option("--settings", metavar="FILE", help="of the kernel: fragments, modules, firmware, budget")
]
FirmwareOption = Annotated[
    list[str] | None,
    typer.Option(
        "--firmware",
        metavar="SET|DIR",
        help="firmware of devices: a set of firmware.toml, or a folder (with a slash); may be repeated",
    ),
]
SignKey = Annotated[
    str | None,
    typer.Option(
        "--sign-key", metavar="FILE", help="sign for Secure Boot: private key (PEM); adds the fragment secure-boot"
    ),
]
SignCertificate = Annotated[
    str | None, typer.Option("--sign-cert", metavar="FILE", help="certificate of --sign-key (PEM), which is in db")
]
FirmwareFrom = Annotated[
    str, typer.Option("--firmware-from", metavar="DIR", help="where the files of sets are on this host")
]


def signer_of(key: str | None, certificate: str | None) -> KernelSigner | None:
    """None: the kernel is not signed. Raises what ``KernelSigner.check`` raises, before anything is built."""
    if key is None and certificate is None:
        return None
    if key is None or certificate is None:
        raise typer.BadParameter("--sign-key and --sign-cert belong together")
    signer = KernelSigner(key, certificate)
    signer.check()
    require_signing_tool(SystemProcesses())
    return signer


def firmware_files(chosen: KernelSettings, settings: str, installed: str) -> tuple[FirmwareFile, ...]:
    if installed != INSTALLED and all("/" in name for name in chosen.firmware):
        raise typer.BadParameter("has no effect without a set of firmware", param_hint="--firmware-from")
    return chosen_firmware(chosen, folder_of(settings), installed)


def megabytes_of(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise typer.BadParameter(f"must be a number of MB, is {text!r}")
    return number


def own_ca(path: str | None) -> OwnCa | None:
    """Raises DeviceMissing, DeviceFault, BadInput."""
    return None if path is None else parse_ca(path, read_user_file(path, MAX_CA_BYTES))


def own_names(platforms: str | None, branding: str | None) -> OwnNames:
    """Raises DeviceMissing, DeviceFault, BadInput with every problem of a file."""
    table = None if platforms is None else read_user_file(platforms)
    if platforms is not None and table is not None:
        parse_platform_table(platforms, table)
    names = Branding() if branding is None else parse_branding(branding, read_user_file(branding))
    return OwnNames(names, table)


def builder() -> Builder:
    return Builder(SystemProcesses(), Cache(default_root(os.environ)), BuildProgress(sys.stderr))


def number_in_environment() -> int | None:
    """None: the environment does not say. Raises BadParameter."""
    try:
        return given_build_number(os.environ)
    except BadInput as error:
        raise typer.BadParameter("; ".join(each.message for each in error.problems), param_hint=NAME) from error


def settings_in(path: str) -> KernelSettings:
    return parse_settings(read_text(path), path)


def folder_of(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))


def paths_of(names: Sequence[str] | None) -> list[str]:
    """Paths of a command line are relative to the current folder; names stay."""
    return [name if is_name(name) else os.path.abspath(name) for name in names or []]
