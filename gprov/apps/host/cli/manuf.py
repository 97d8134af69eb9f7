"""``gprov manuf``: what the factory serves to units."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, BinaryIO
from urllib.parse import quote

import typer

from gprov.apps.host.cli.appliance import problem_rows
from gprov.apps.host.cli.http_client import CaFile, http_client
from gprov.apps.host.cli.manuf_sign import sign
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.qa_page import qa_page
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.image.regular_files import open_regular
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, ExitCode, NetworkFault
from gprov.domain.formats.json.value import Json as JsonValue
from gprov.domain.mfg.encryption import require_encryption
from gprov.domain.mfg.files import destination
from gprov.domain.mfg.manuf import MAX_DOCUMENT, ManufData, parse_manuf
from gprov.domain.mfg.urls import redacted, url_problem
from gprov.domain.platform.table import parse_platform_table
from gprov.domain.unit.trust import is_encrypted

app = new_app("Check and sign manufData.json.")
app.command("qa-page")(qa_page)
app.command("sign")(sign)
_NAMES = Branding()


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.callback()
def manuf() -> None:
    """Check manufData.json: every problem with its JSON path, and what is legal but deserves a look."""


@app.command("check")
def check(
    source: Annotated[str, typer.Argument(metavar="FILE-OR-URL", help="a manufData.json")],
    appliance: Annotated[
        str | None,
        typer.Option(metavar="FILE-OR-URL", help="platform table (appliance.json) that must have every code name"),
    ] = None,
    image_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="what names of your images begin with")
    ] = _NAMES.image_prefix,
    boot_kernel: Annotated[str, typer.Option(metavar="NAME", help="name of your boot kernel")] = _NAMES.boot_kernel,
    ca: CaFile = None,
    tls: Annotated[
        bool,
        typer.Option("--tls", help="for units that verify their servers (mfgca): refuse URLs that are not encrypted"),
    ] = False,
    network: Annotated[
        bool, typer.Option("--network", help="ask the web server for every file: is it there, with its Size?")
    ] = False,
    as_json: Json = False,
) -> int:
    """Every problem of a manufData.json. Exit status 1 if there is any."""
    if ca is not None and not any(is_encrypted(each) for each in (source, appliance or "")):
        raise typer.BadParameter("belongs to https URLs", param_hint="'--ca'")
    platforms = None
    branding = Branding(image_prefix=image_prefix, boot_kernel=boot_kernel)
    try:
        if appliance is not None:
            platforms = parse_platform_table(redacted(appliance), manuf_content(appliance, ca))
        manuf_data = parse_manuf(redacted(source), manuf_content(source, ca), branding, platforms)
        if tls:
            require_encryption(redacted(source), manuf_data)
        if network:
            manuf_data = _asked(redacted(source), manuf_data, ca)
    except BadInput as error:
        _refuse(error, as_json=as_json)
        return ExitCode.NEGATIVE
    if as_json:
        document(_document(redacted(source), manuf_data, branding))
    else:
        for line in _lines(redacted(source), manuf_data, branding):
            say(line)
    return ExitCode.DONE


def _asked(what: str, manuf_data: ManufData, ca: str | None) -> ManufData:
    """With a warning for each file that cannot be checked. Raises BadInput with every file that is not as it should."""
    from gprov.adapters.linux.net.file_check import network_problems

    found = list(network_problems(http_client(ca), manuf_data.all_files()))
    problems = [problem for problem, certain in found if certain]
    if problems:
        raise BadInput(what, problems)
    return replace(manuf_data, warnings=(*manuf_data.warnings, *(problem for problem, _ in found)))


def _refuse(error: BadInput, *, as_json: bool) -> None:
    if as_json:
        rows = problem_rows(error.problems)
        document(
            {
                "source": error.what,
                "valid": False,
                "problems": rows,
                "files": [],
                "platforms": [],
                "readings": [],
                "warnings": [],
            }
        )
        return
    for problem in error.problems:
        say(str(problem))
    say(f"{error.what}: {len(error.problems)} problem(s)", err=True, colour="red")


def _document(what: str, manuf_data: ManufData, branding: Branding) -> JsonValue:
    return {
        "source": what,
        "valid": True,
        "problems": [],
        "files": [
            {"source": file.describe(), "path": str(destination(file, branding, uefi=True).path)}
            for file in manuf_data.files
        ],
        "platforms": [
            {
                "code_name": spec.code_name,
                "recovery": spec.recovery.describe(),
                "disk_sets": len(spec.main_disks),
                "steps": len(manuf_data.steps_for(spec.code_name).steps),
                "burn_in": manuf_data.burn_in_for(spec.code_name) is not None,
            }
            for spec in manuf_data.validation
        ],
        "readings": [str(reading) for reading in manuf_data.readings],
        "warnings": [str(warning) for warning in manuf_data.warnings],
    }


def _lines(what: str, manuf_data: ManufData, branding: Branding) -> Iterator[str]:
    for file in manuf_data.files:
        yield f"{file.describe()} -> {destination(file, branding, uefi=True).path}"
    for spec in manuf_data.validation:
        steps = len(manuf_data.steps_for(spec.code_name).steps)
        sets = len(spec.main_disks)
        burn_in = "; burn-in" if manuf_data.burn_in_for(spec.code_name) else ""
        yield f"{spec.code_name}: RECOVERY {spec.recovery.describe()}; {sets} disk set(s); {steps} step(s){burn_in}"
    for reading in manuf_data.readings:
        yield str(reading)
    for warning in manuf_data.warnings:
        yield f"warning: {warning}"
    yield f"{what}: no problems, {len(manuf_data.warnings)} warning(s)"


def manuf_content(source: str, ca: str | None = None) -> bytes:
    """Of a file, or of what a web server answers. ``ca``: path of the CA certificate of https servers. Raises
    DeviceMissing, DeviceFault, NetworkFault."""
    if not source.lower().startswith(("http://", "https://")):
        return read_user_file(source, MAX_DOCUMENT)
    reply = http_client(ca).request("GET", source, limit=MAX_DOCUMENT)
    if reply.status != 200:
        raise NetworkFault(redacted(source), f"answered with status {reply.status}")
    return reply.body


@app.command("entry")
def entry(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="files that are published")],
    url: Annotated[str, typer.Option(metavar="URL", help="of the folder with them: http://ADDRESS:PORT/files")],
) -> int:
    """Print the entries of files for Files, StashFiles or steps: URL, size and SHA-256."""
    problem = url_problem(url)
    if problem:
        raise typer.BadParameter(problem, param_hint="'--url'")
    entries = []
    for path in files:
        with open_regular(path) as file:
            try:
                digest, size = _sha256(file), file.tell()
            except OSError as exc:
                raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
        entries.append({"Src": f"{url.rstrip('/')}/{quote(os.path.basename(path))}", "Size": size, "Sha256": digest})
    document(entries)
    return ExitCode.DONE


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
