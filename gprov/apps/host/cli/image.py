"""``gprov image``: names, order, verification and making of images."""

from __future__ import annotations

import calendar
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli import image_values as values
from gprov.apps.host.cli.image_sign import attach_sign, image_signer, signature_facts, signature_text
from gprov.apps.host.cli.image_tools import BrandingFile, attach_tools
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, quoted_name, say
from gprov.apps.host.cli.progress import progress
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import Room, primary_room, smallest_disk
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, ExitCode, GprovError, Problem
from gprov.domain.image.companions import companions_of
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import UnpacksTooLarge
from gprov.domain.image.imgmeta import FIELDS, ImageMeta, parse_imgmeta
from gprov.domain.image.modules import module_notes
from gprov.domain.image.name import ImageName, parse_image_name
from gprov.domain.image.select import Preference, rank

if TYPE_CHECKING:
    from gprov.apps.host.trust.image_signing import ImageSigner

app = new_app("Names, order, verification and making of images.")

_PREFIX = Branding().image_prefix
# One thread decodes this in a quarter of an hour (docs/evidence/performance.md): so long a file that was made to waste
# time can take.
LARGEST_VERIFIED = "64G"
Prefix = Annotated[str, typer.Option(metavar="TEXT", help="of image names", parser=values.prefix)]


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("name")
def name_parts(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="names of images")],
    prefix: Prefix = _PREFIX,
    as_json: Json = False,
) -> int:
    """The parts of image names, or why they are none. Exit status 1 if one is none."""
    rows = [_name_row(text, prefix) for text in names]
    if as_json:
        document(rows)
    else:
        for row in rows:
            parts = "prefix {prefix} date {date} build {build} disktag {disktag}".format_map(row)
            wrong = f"not an image name: {row['reason']}"
            say(f"{quoted_name(str(row['name']))}: {parts if row['valid'] else wrong}")
    return ExitCode.DONE if all(row["valid"] for row in rows) else ExitCode.NEGATIVE


def _name_row(text: str, prefix: str) -> dict[str, object]:
    try:
        name = parse_image_name(text, prefix)
    except BadInput as error:
        nothing = dict.fromkeys(("prefix", "date", "build", "disktag"))
        return {"name": text, "valid": False, **nothing, "reason": "; ".join(error.details())}
    parts = {"prefix": name.prefix, "date": name.date.isoformat(), "build": name.build, "disktag": name.disktag}
    return {"name": text, "valid": True, **parts, "reason": ""}


@app.command("list")
def listing(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="a folder with images")],
    oldest: Annotated[bool, typer.Option("--oldest", help="prefer the oldest")] = False,
    prefix: Prefix = _PREFIX,
    as_json: Json = False,
) -> int:
    """Images of a folder in the order in which a restore tries them. "signed": a manifest and its signature are there;
    they are not checked."""
    names = _files(folder)
    ranking = rank(names, prefix, Preference.OLDEST if oldest else Preference.LATEST)
    signed = {name for name in names if {*companions_of(name)} <= {*names}}
    rows = [_row(folder, name.filename, date=name.date.isoformat(), build=name.build) for name in ranking.candidates]
    rows += [_row(folder, rejected.filename, reason=rejected.reason) for rejected in ranking.rejected]
    if as_json:
        document([{**row, "signed": row["name"] in signed} for row in rows])
    else:
        for row in rows:
            shown = quoted_name(str(row["name"]))
            mark = ": signed" if row["name"] in signed else ""
            say(f"{shown}{mark}" if row["accepted"] else f"{shown}: rejected: {row['reason']}")
    return ExitCode.DONE


def _row(
    folder: str, name: str, *, date: str | None = None, build: int | None = None, reason: str = ""
) -> dict[str, object]:
    path = os.path.join(folder, name)
    return {"name": name, "date": date, "build": build, "path": path, "accepted": not reason, "reason": reason}


def _files(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if not entry.is_dir()]
    except FileNotFoundError as exc:
        raise DeviceMissing(folder, "no such folder", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(folder, f"cannot be listed: {exc.strerror}", errno=exc.errno) from exc


@app.command("verify")
def verify(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="images")],
    disk: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="refuse what does not fit on a data disk of 64G, say", parser=values.size),
    ] = None,
    largest: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="refuse what unpacks to more, before decoding it (without --disk)",
            show_default=LARGEST_VERIFIED,
            parser=values.size,
        ),
    ] = None,
    trust: Annotated[
        str | None, typer.Option(metavar="FILE", help="trust chain: also check the signatures of the images")
    ] = None,
    branding: BrandingFile = None,
    prefix: values.OwnPrefix = None,
    as_json: Json = False,
) -> int:
    """Check images from their first to their last byte. Exit status 1 if one is not valid, 3 if one cannot be read."""
    if disk is not None and largest is not None:
        raise typer.BadParameter("excludes --disk, which sets the limit", param_hint="'--largest'")
    room = primary_room(None, [values.in_bytes(disk)], bios=True) if disk is not None else None
    most = room.largest_archive if room is not None else values.in_bytes(largest or LARGEST_VERIFIED)
    names = values.names(branding, prefix)
    signer = None if trust is None else image_signer(names, trust)
    code = ExitCode.DONE
    rows: list[dict[str, object]] = []
    for path in files:
        verdict, row = _verify(path, names, room, most, signer)
        code = max(code, verdict)
        rows.append(row)
        if not as_json:
            _print_verdict(verdict, row)
    if as_json:
        document(rows)
    return code


def _verify(
    path: str, names: Branding, room: Room | None, most: int, signer: ImageSigner | None
) -> tuple[ExitCode, dict[str, object]]:
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.process import SystemProcesses
    from gprov.domain.plan.open_accounts import open_account_problems
    from gprov.domain.plan.preconditions import lack_of_room

    try:
        with progress(path) as report:
            image = XzTarArchives(SystemProcesses(), memory_budget=0, branding=names).verify(path, report, most)
        if room is not None and (lack := lack_of_room(image, room)):
            raise BadInput(path, [Problem("", lack)])
        if problems := open_account_problems(image.files):
            raise BadInput(path, problems)
        signature = {} if signer is None else {"signature": signature_facts(signer, image)}
    except GprovError as error:
        hint = "; --largest SIZE sets another limit" if isinstance(error, UnpacksTooLarge) and room is None else ""
        return error.exit_code, {"path": path, "valid": False, "reason": f"{error}{hint}"}
    facts = asdict(image)
    del facts["files"]
    notes = [*image.notes, *_notes(image, names)]
    return ExitCode.DONE, {
        **facts,
        "valid": True,
        "smallest_disk": smallest_disk(image.needs),
        "notes": notes,
        **signature,
    }


def _print_verdict(code: ExitCode, row: dict[str, object]) -> None:
    """The verdict on a file that cannot be read is "unknown"."""
    if code is not ExitCode.DONE:
        say(f"{'INVALID' if code is ExitCode.NEGATIVE else 'unknown'} {row['reason']}", colour="red")
        return
    facts = f"{row['entries']} members, {row['unpacked']} bytes unpacked, SHA-256 {row['digest']}"
    say(f"valid   {row['path']}: {facts}", colour="green")
    signature = row.get("signature")
    if isinstance(signature, dict):
        say(f"        signed: {signature_text(signature)}")
    notes = row["notes"]
    for note in notes if isinstance(notes, list) else []:
        say(f"        note: {note}", colour="yellow")


def _notes(image: VerifiedImage, names: Branding) -> list[str]:
    """Why a restore would not take an intact image."""
    from gprov.domain.plan.preconditions import image_problems

    notes = [str(problem) for problem in image_problems(image, names)]
    notes += module_notes(image) if not notes else []
    try:
        name = parse_image_name(os.path.basename(image.path), names.image_prefix)
    except BadInput as error:
        return [*notes, f"not a name that a restore looks for: {'; '.join(error.details())}"]
    if image.files.imgmeta is not None:
        try:
            mismatch = parse_imgmeta(name.filename, image.files.imgmeta).mismatch(name)
        except BadInput as error:
            mismatch = str(error)
        notes += [mismatch] if mismatch else []
    return notes


@app.command("create")
def create(
    date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="date in the image's name", parser=values.date)],
    build: Annotated[str, typer.Option(metavar="N", help="number; leading zeros are kept", parser=values.build)],
    output: Annotated[str, typer.Option(metavar="DIR", help="where the image is written")],
    root: Annotated[str | None, typer.Option(metavar="DIR", help="folder that holds the root file system")] = None,
    tar: Annotated[
        str | None, typer.Option(metavar="FILE", help="tar archive of it: plain, .xz, .gz or .zst (or --root)")
    ] = None,
    meta: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help=f"one of {', '.join(FIELDS)}; may be repeated", parser=values.meta),
    ] = None,
    tools: Annotated[bool, typer.Option("--tools", help="with gprov's tools for the running system")] = False,
    update: Annotated[bool, typer.Option("--update", help="with gprov-update, too (after --tools)")] = False,
    branding: BrandingFile = None,
    prefix: values.OwnPrefix = None,
    as_json: Json = False,
) -> int:
    """Make an image of a root file system (--root or --tar)."""
    if update and not tools:
        raise typer.BadParameter("needs --tools: the agent works with them", param_hint="'--update'")
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.process import SystemProcesses
    from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootArchive, RootFolder

    if root is not None and tar is None:
        source: RootFolder | RootArchive = RootFolder(root)
    elif tar is not None and root is None:
        source = RootArchive(tar)
    else:
        raise typer.BadParameter("give one of the two", param_hint="'--root' / '--tar'")
    names = values.names(branding, prefix)
    filename = ImageName(values.day(date), int(build), build, names.image_prefix).filename
    name = parse_image_name(filename, names.image_prefix)
    facts = _metadata(meta or [], name)
    processes = SystemProcesses()
    maker = ImageMaker(processes, XzTarArchives(processes, memory_budget=0, branding=names), names)
    image = maker.create(
        ImageRequest(
            source=source,
            name=name,
            output=output,
            meta=facts,
            more=_tools(name, names, update=update) if tools else b"",
            updates=update,
        ),
        lambda line: say(line, err=True),
        progress,
    )
    if as_json:
        rows = asdict(image)
        del rows["files"]
        document(rows)
    else:
        say(f"{image.path}: {image.size} bytes, {image.entries} members, SHA-256 {image.digest}")
    return ExitCode.DONE


def _tools(name: ImageName, names: Branding, *, update: bool) -> bytes:
    """Dated as the image."""
    from gprov.apps.host.image.tool_package import tool_members
    from gprov.apps.host.image.tool_sets import ALL_TOOLS, TOOLS_AND_UPDATE

    return tool_members(TOOLS_AND_UPDATE if update else ALL_TOOLS, names, calendar.timegm(name.date.timetuple()))


def _metadata(given: Sequence[str], name: ImageName) -> ImageMeta:
    pairs = dict(text.split("=", 1) for text in given)
    meta = ImageMeta(**{field: pairs.get(key, "") for key, field in FIELDS.items()})
    if meta.mismatch(name):
        raise BadInput("--meta", [Problem("ImgName", f"is always the image's name, {name.filename}")])
    return meta


attach_sign(app)
attach_tools(app)
