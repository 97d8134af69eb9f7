"""``gprov build``: kernels and initramfs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli import build_contents
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.initramfs.builds import BEST_LEVEL, Builder, Initramfs
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.closure import module_search_path
from gprov.apps.host.initramfs.hostfiles import copy_file, write_file
from gprov.apps.host.initramfs.parts import PartSize, report_lines
from gprov.apps.host.initramfs.progress import BuildProgress
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


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@dataclass(frozen=True, slots=True)
class _Product:
    """``number``: of a kernel; None for an initramfs. ``size``: of the file."""

    path: str
    size: int
    initramfs: Initramfs
    number: int | None = None


def _https(text: str) -> str:
    problem = base_problem(text)
    if problem or not is_encrypted(text):
        raise typer.BadParameter(problem or "must begin with https://")
    return text.rstrip("/")


@app.command("initramfs")
def initramfs_alone(
    flavor: FlavorOption,
    output: Output,
    report: Report = False,
    level: Level = BEST_LEVEL,
    spec: FreezeSpec = _SPEC,
    ca: BuiltInCa = None,
    as_json: Json = False,
) -> int:
    """The initramfs alone, as a cpio archive compressed with zstd."""
    initramfs = _builds().initramfs(spec, flavor, level=level, ca=_own_ca(ca))
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
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", help="parallel compilers (default: processors)", min=1),
    ] = None,
    config: Annotated[str, typer.Option("--config", metavar="FILE", help="kernel fragment")] = os.path.join(
        _BUILDROOT, "kernel/x86_64.config"
    ),
    as_json: Json = False,
) -> int:
    """A kernel with its initramfs inside."""
    number = _build_number()
    compilers = jobs or len(os.sched_getaffinity(0))
    builds = _builds()
    initramfs = builds.initramfs(spec, flavor, level=level, ca=_own_ca(ca))
    copy_file(builds.kernel(config, initramfs, number, compilers), output)
    _print(_Product(output, os.path.getsize(output), initramfs, number), report=report, as_json=as_json)
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


def _print(product: _Product, *, report: bool, as_json: bool) -> None:
    initramfs = product.initramfs
    packed = len(initramfs.content)
    if as_json:
        parts = [_part(each) for each in initramfs.sizes]
        sizes = {"initramfs_size": packed, "initramfs_unpacked": initramfs.raw_size, "parts": parts}
        document({"path": product.path, "size": product.size, "build_number": product.number, **sizes})
        return
    if report:
        for line in size_report(initramfs):
            say(line)
    if product.number is None:
        say(f"{product.path}: {_mb(packed)} ({_mb(initramfs.raw_size)} unpacked)")
    else:
        say(f"{product.path}: {_mb(product.size)}, initramfs {_mb(packed)}, build #{product.number}")


def _part(each: PartSize) -> dict[str, object]:
    return {"kind": each.part.kind.name.lower(), "name": each.part.name, "size": each.size, "files": each.files}


def size_report(initramfs: Initramfs) -> list[str]:
    """Lines of a table: programs, databases, libraries and so on, with their bytes before compression."""
    rows = report_lines(initramfs.sizes)
    return [*rows, f"{initramfs.raw_size:>12,}  archive", f"{len(initramfs.content):>12,}  compressed"]


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
