"""``gprov build ipxe``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.hostfiles import copy_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.domain.errors import ExitCode
from gprov.domain.factory.netboot import base_problem
from gprov.domain.unit.trust import MAX_CA_BYTES, is_encrypted, parse_ca


def attach(app: typer.Typer) -> None:
    app.command("ipxe")(ipxe)


def https_url(text: str) -> str:
    problem = base_problem(text)
    if problem or not is_encrypted(text):
        raise typer.BadParameter(problem or "must begin with https://")
    return text.rstrip("/")


def ipxe(
    ca: Annotated[str, typer.Option("--ca", metavar="FILE", help="CA certificate (PEM): the only one that is trusted")],
    server: Annotated[
        str,
        typer.Option("--server", metavar="URL", help="https URL of the server's port for iPXE", parser=https_url),
    ],
    output: Annotated[str, typer.Option("--output", metavar="DIR", help="gets undionly.kpxe and snponly.efi")],
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="DIR", help="source of iPXE (default: Debian's source package, by apt)"),
    ] = None,
    as_json: Json = False,
) -> int:
    """iPXE that verifies the factory server. docs/how-to/tls.md says what it is good for."""
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
