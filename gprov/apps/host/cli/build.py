"""``gprov build``: kernels and initramfs."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli import build_contents
from gprov.apps.host.cli.build_report import (
    kernel_document,
    kernel_report,
    megabytes,
    modules_note,
    part_document,
    size_report,
)
from gprov.apps.host.cli.build_trust import PolicyOption, SecurityVersionOption, TrustOption, built_in_trust
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.initramfs.builds import BEST_LEVEL, Builder, Initramfs, Kernel
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.closure import module_search_path
from gprov.apps.host.initramfs.firmware import INSTALLED, FirmwareFile
from gprov.apps.host.initramfs.hostfiles import copy_file, read_text, write_file
from gprov.apps.host.initramfs.kernel_settings import (
    BASE_FILE,
    SETTINGS_FILE,
    KernelChoice,
    KernelSettings,
    chosen_firmware,
    is_name,
    parse_settings,
)
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.signing import FRAGMENT, KernelSigner, require_signing_tool
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.errors import ExitCode
from gprov.domain.factory.netboot import base_problem
from gprov.domain.unit.trust import MAX_CA_BYTES, OwnCa, is_encrypted, parse_ca

_BUILDROOT = os.path.join(module_search_path()[0], "buildroot")
_ENVIRONMENT = "Environment: BUILD_NUMBER (decimal, default 1), GPROV_CACHE (default ~/.cache/gprov)."
app = new_app(
    "Build a kernel with its initramfs inside, or the initramfs alone, from the distribution's packages. "
    + _ENVIRONMENT
)
build_contents.attach(app)

FlavorOption = Annotated[Flavor, typer.Option("--flavor", help="which programs the initramfs holds")]
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
FreezeSpec = Annotated[str, typer.Option("--spec", metavar="FILE", help="freeze specification")]
BuiltInCa = Annotated[
    str | None,
    typer.Option("--ca", metavar="FILE", help="CA certificate (PEM): the unit trusts no other https server"),
]
_SPEC = os.path.join(_BUILDROOT, "initramfs.toml")
_CONFIG = os.path.join(_BUILDROOT, "kernel", BASE_FILE)
_SETTINGS = os.path.join(_BUILDROOT, "kernel", SETTINGS_FILE)
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


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@dataclass(frozen=True, slots=True)
class _KernelFacts:
    number: int
    built: Kernel
    settings: KernelSettings


@dataclass(frozen=True, slots=True)
class _Product:
    """``kernel``: None for an initramfs. ``size``: of the file."""

    path: str
    size: int
    initramfs: Initramfs
    kernel: _KernelFacts | None = None


def _signer(key: str | None, certificate: str | None) -> KernelSigner | None:
    """None: the kernel is not signed. Raises what ``KernelSigner.check`` raises, before anything is built."""
    if key is None and certificate is None:
        return None
    if key is None or certificate is None:
        raise typer.BadParameter("--sign-key and --sign-cert belong together")
    signer = KernelSigner(key, certificate)
    signer.check()
    require_signing_tool(SystemProcesses())
    return signer


def _https(text: str) -> str:
    problem = base_problem(text)
    if problem or not is_encrypted(text):
        raise typer.BadParameter(problem or "must begin with https://")
    return text.rstrip("/")


def _firmware(chosen: KernelSettings, settings: str, installed: str) -> tuple[FirmwareFile, ...]:
    if installed != INSTALLED and all("/" in name for name in chosen.firmware):
        raise typer.BadParameter("has no effect without a set of firmware", param_hint="--firmware-from")
    return chosen_firmware(chosen, _folder(settings), installed)


def _megabytes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise typer.BadParameter(f"must be a number of MB, is {text!r}")
    return number


@app.command("initramfs")
def initramfs_alone(
    flavor: FlavorOption,
    output: Output,
    report: Report = False,
    level: Level = BEST_LEVEL,
    spec: FreezeSpec = _SPEC,
    ca: BuiltInCa = None,
    trust: TrustOption = None,
    trust_policy: PolicyOption = None,
    security_version: SecurityVersionOption = 0,
    settings: SettingsFile = _SETTINGS,
    firmware: FirmwareOption = None,
    firmware_from: FirmwareFrom = INSTALLED,
    as_json: Json = False,
) -> int:
    """The initramfs alone, as a cpio archive compressed with zstd."""
    chosen = _settings(settings).with_options((), None, _paths(firmware), None)
    files = _firmware(chosen, settings, firmware_from)
    own = built_in_trust(trust, trust_policy, security_version)
    initramfs = _builds().initramfs(spec, flavor, level=level, ca=_own_ca(ca), trust=own, firmware=files)
    write_file(output, initramfs.content)
    _print(_Product(output, len(initramfs.content), initramfs), report=report, as_json=as_json)
    return ExitCode.DONE


@app.command("kernel")
def kernel(
    flavor: FlavorOption,
    output: Output,
    report: Report = False,
    level: Level = BEST_LEVEL,
    spec: FreezeSpec = _SPEC,
    ca: BuiltInCa = None,
    trust: TrustOption = None,
    trust_policy: PolicyOption = None,
    security_version: SecurityVersionOption = 0,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", help="parallel compilers (default: processors)", min=1),
    ] = None,
    config: Annotated[str, typer.Option("--config", metavar="FILE", help="base configuration of the kernel")] = _CONFIG,
    settings: SettingsFile = _SETTINGS,
    fragment: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE", help="a shipped fragment, or a file .config of your own; may be repeated"),
    ] = None,
    modules: Annotated[
        bool | None,
        typer.Option("--modules/--no-modules", help="loadable modules for the running system", show_default=False),
    ] = None,
    firmware: FirmwareOption = None,
    firmware_from: FirmwareFrom = INSTALLED,
    system_tree: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="write modules and firmware for the image's root, as .tar.zst"),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="MB", min=0, parser=_megabytes, help="largest size of the kernel without its initramfs"),
    ] = None,
    sign_key: SignKey = None,
    sign_cert: SignCertificate = None,
    as_json: Json = False,
) -> int:
    """A kernel with its initramfs inside."""
    number = _build_number()
    signer = _signer(sign_key, sign_cert)
    fragments = [*_paths(fragment), *([] if signer is None else [FRAGMENT])]
    chosen = _settings(settings).with_options(fragments, modules, _paths(firmware), budget)
    if signer is not None and chosen.modules:
        raise typer.BadParameter("excludes --modules: a signed kernel loads no unsigned ones", param_hint="--sign-key")
    files = _firmware(chosen, settings, firmware_from)
    if system_tree is not None and not (chosen.modules or files):
        raise typer.BadParameter("has no content without --modules or --firmware", param_hint="--system-tree")
    builds, choice = _builds(), KernelChoice(chosen, config, _folder(settings))
    own = built_in_trust(trust, trust_policy, security_version)
    builds.check(choice)
    initramfs = builds.initramfs(spec, flavor, level=level, ca=_own_ca(ca), trust=own, firmware=files)
    built = builds.kernel(choice, initramfs, number, jobs or len(os.sched_getaffinity(0)))
    if signer is not None:
        built = builds.signed(built, signer)
    if system_tree is not None:
        builds.system_tree(built, files, system_tree)
    elif note := modules_note(chosen, flavor):
        say(note, err=True)
    copy_file(built.files.image, output)
    product = _Product(output, os.path.getsize(output), initramfs, _KernelFacts(number, built, chosen))
    _print(product, report=report, as_json=as_json)
    return ExitCode.DONE


@app.command("ipxe")
def ipxe(
    ca: Annotated[str, typer.Option("--ca", metavar="FILE", help="CA certificate (PEM): the only one that is trusted")],
    server: Annotated[
        str,
        typer.Option("--server", metavar="URL", help="https URL of the server's port for iPXE", parser=_https),
    ],
    output: Annotated[str, typer.Option("--output", metavar="DIR", help="gets undionly.kpxe and snponly.efi")],
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="DIR", help="source of iPXE (default: Debian's source package, by apt)"),
    ] = None,
    as_json: Json = False,
) -> int:
    """iPXE that verifies the factory server. docs/tls.md says what it is good for."""
    from gprov.apps.host.initramfs.ipxe import IpxeBuilder

    trust = parse_ca(ca, read_user_file(ca, MAX_CA_BYTES))
    cache, jobs = Cache(default_root(os.environ)), len(os.sched_getaffinity(0))
    made = IpxeBuilder(SystemProcesses(), cache, BuildProgress(sys.stderr), jobs).build(trust, server, source)
    os.makedirs(output, exist_ok=True)
    paths = [os.path.join(output, name) for name in sorted(os.listdir(made))]
    for path in paths:
        copy_file(os.path.join(made, os.path.basename(path)), path)
    sizes = {path: os.path.getsize(path) for path in paths}
    if as_json:
        document({"files": [{"path": path, "size": size} for path, size in sizes.items()]})
    else:
        for path, size in sizes.items():
            say(f"{path}: {size / 1e3:.0f} kB")
    return ExitCode.DONE


def _own_ca(path: str | None) -> OwnCa | None:
    """Raises DeviceMissing, DeviceFault, BadInput."""
    return None if path is None else parse_ca(path, read_user_file(path, MAX_CA_BYTES))


def _builds() -> Builder:
    return Builder(SystemProcesses(), Cache(default_root(os.environ)), BuildProgress(sys.stderr))


def _build_number() -> int:
    text = os.environ.get("BUILD_NUMBER") or "1"
    if not (text.isascii() and text.isdecimal()):
        raise typer.BadParameter(f"must be a decimal number, is {text!r}", param_hint="BUILD_NUMBER")
    return int(text)


def _settings(path: str) -> KernelSettings:
    return parse_settings(read_text(path), path)


def _folder(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))


def _paths(names: Sequence[str] | None) -> list[str]:
    """Paths of a command line are relative to the current folder; names stay."""
    return [name if is_name(name) else os.path.abspath(name) for name in names or []]


def _print(product: _Product, *, report: bool, as_json: bool) -> None:
    initramfs, kernel = product.initramfs, product.kernel
    packed = len(initramfs.content)
    if as_json:
        parts = [part_document(each) for each in initramfs.sizes]
        sizes = {"initramfs_size": packed, "initramfs_unpacked": initramfs.raw_size, "parts": parts}
        number = kernel.number if kernel is not None else None
        facts = kernel_document(kernel.built, kernel.settings) if kernel is not None else None
        document({"path": product.path, "size": product.size, "build_number": number, **sizes, "kernel": facts})
        return
    if report:
        for line in size_report(initramfs):
            say(line)
        for line in kernel_report(kernel.built, kernel.settings) if kernel is not None else []:
            say(line)
    if kernel is None:
        say(f"{product.path}: {megabytes(packed)} ({megabytes(initramfs.raw_size)} unpacked)")
    else:
        say(f"{product.path}: {megabytes(product.size)}, initramfs {megabytes(packed)}, build #{kernel.number}")
