"""``gprov image``: names, order, verification and making of images."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import smallest_disk
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, ExitCode, GprovError, Problem
from gprov.domain.formats.shown import plain
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.imgmeta import FIELDS, ImageMeta, parse_imgmeta
from gprov.domain.image.name import SUFFIX, ImageName, parse_image_name
from gprov.domain.image.select import Preference, rank
from gprov.ports.archive import ProgressReport

SUMMARY = "Names, order, verification and making of images."
_PREFIX = Branding().image_prefix
_LONGEST_BUILD = 200  # what fits into the name of a file


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    name = actions.add_parser("name", help="the parts of image names, or why they are none")
    name.add_argument("names", nargs="+", metavar="NAME")
    listing = actions.add_parser("list", help="images of a folder in the order in which a restore tries them")
    listing.add_argument("folder", metavar="DIR")
    listing.add_argument("--oldest", action="store_true", help="prefer the oldest")
    listing.add_argument("--json", action="store_true")
    verify = actions.add_parser("verify", help="check images from their first to their last byte")
    verify.add_argument("files", nargs="+", metavar="FILE")
    verify.add_argument("--json", action="store_true")
    create = actions.add_parser("create", help="make an image of a root file system")
    source = create.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", metavar="DIR", help="folder that holds the root file system")
    source.add_argument("--tar", metavar="FILE", help="tar archive of it: plain, .xz, .gz or .zst")
    create.add_argument("--date", required=True, type=_date, metavar="YYYY-MM-DD")
    create.add_argument("--build", required=True, type=_build, metavar="N", help="build number; leading zeros are kept")
    create.add_argument("--output", required=True, metavar="DIR")
    create.add_argument(
        "--meta", action="append", default=[], type=_meta, metavar="KEY=VALUE", help=f"one of {', '.join(FIELDS)}"
    )
    netsave = actions.add_parser(
        "netsave", help="put gprov-netsave into a root file system: units keep their network configuration"
    )
    boot_good = actions.add_parser(
        "boot-good", help="put gprov-boot-good into a root file system: units tell that their system is up"
    )
    for service in (netsave, boot_good):
        service.add_argument("--root", metavar="DIR", required=True, help="folder that holds the root file system")
    for action in (name, listing, verify, create):
        action.add_argument("--prefix", default=_PREFIX, type=_prefix, help="of image names (default %(default)s)")


def run(args: argparse.Namespace) -> int:
    match args.action:
        case "name":
            return _name(args.names, args.prefix)
        case "list":
            return _list(args.folder, args.prefix, Preference.OLDEST if args.oldest else Preference.LATEST, args.json)
        case "verify":
            return _verify(args.files, args.prefix, args.json)
        case "netsave" | "boot-good":
            return _service(args.action, args.root)
        case _:
            return _create(args)


def _name(names: Sequence[str], prefix: str) -> int:
    code = ExitCode.DONE
    for text in names:
        try:
            name = parse_image_name(text, prefix)
        except BadInput as error:
            code = ExitCode.NEGATIVE
            print(f"{_shown(text)}: not an image name: {plain('; '.join(error.details()))}")
        else:
            facts = f"prefix {name.prefix} date {name.date} build {name.build} disktag {name.disktag}"
            print(plain(f"{text}: {facts}"))
    return code


def _list(folder: str, prefix: str, preference: Preference, as_json: bool) -> int:
    ranking = rank(_files(folder), prefix, preference)
    rows: list[dict[str, object]] = [
        _row(folder, name.filename, date=name.date.isoformat(), build=name.build) for name in ranking.candidates
    ]
    rows += [_row(folder, rejected.filename, reason=rejected.reason) for rejected in ranking.rejected]
    if as_json:
        print(json.dumps(rows, indent=2))
        return ExitCode.DONE
    for row in rows:
        shown = _shown(str(row["name"]))
        print(shown if row["accepted"] else f"{shown}: rejected: {plain(str(row['reason']))}")
    return ExitCode.DONE


def _shown(name: str) -> str:
    """One line that a terminal takes as text, whatever is in the name."""
    return name if name and name.isprintable() else repr(name)


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


def _verify(files: Sequence[str], prefix: str, as_json: bool) -> int:
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.process import SystemProcesses

    archives = XzTarArchives(SystemProcesses(), memory_budget=0)
    code = ExitCode.DONE
    rows: list[dict[str, object]] = []
    for path in files:
        row: dict[str, object] = {"path": path, "valid": False}
        verdict = "valid"
        try:
            image = archives.verify(path, _progress(path))
        except GprovError as error:
            code = max(code, error.exit_code)
            row["reason"] = str(error)
            verdict = "INVALID" if error.exit_code is ExitCode.NEGATIVE else "unknown"
        else:
            facts = asdict(image)
            del facts["files"]
            notes = [*image.notes, *_notes(image, prefix)]
            row = {**facts, "valid": True, "smallest_disk": smallest_disk(image.needs), "notes": notes}
        rows.append(row)
        if not as_json:
            _print_verdict(verdict, row)
    if as_json:
        print(json.dumps(rows, indent=2))
    return code


def _print_verdict(verdict: str, row: dict[str, object]) -> None:
    """Of a file that cannot be read nothing is known."""
    if not row["valid"]:
        print(f"{verdict} {plain(str(row['reason']))}", flush=True)
        return
    facts = f"{row['entries']} members, {row['unpacked']} bytes unpacked, SHA-256 {row['digest']}"
    print(f"valid   {plain(str(row['path']))}: {facts}")
    notes = row["notes"]
    for note in notes if isinstance(notes, list) else []:
        print(f"        note: {plain(note)}")
    sys.stdout.flush()


def _notes(image: VerifiedImage, prefix: str) -> list[str]:
    """What a restore would say of an intact image."""
    from gprov.domain.plan.restorable import image_problems

    notes = [str(problem) for problem in image_problems(image, Branding(image_prefix=prefix))]
    try:
        name = parse_image_name(os.path.basename(image.path), prefix)
    except BadInput as error:
        return [*notes, f"not a name that a restore looks for: {'; '.join(error.details())}"]
    if image.files.imgmeta is not None:
        try:
            mismatch = parse_imgmeta(name.filename, image.files.imgmeta).mismatch(name)
        except BadInput as error:
            mismatch = str(error)
        notes += [mismatch] if mismatch else []
    return notes


def _service(name: str, root: str) -> int:
    from gprov.apps.host.image.services import BOOT_GOOD, NETSAVE

    for path in (NETSAVE if name == "netsave" else BOOT_GOOD).install(root):
        print(path)
    return ExitCode.DONE


def _create(args: argparse.Namespace) -> int:
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.process import SystemProcesses
    from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootArchive, RootFolder

    name = ImageName(args.date, int(args.build), args.build, args.prefix)
    parse_image_name(name.filename, args.prefix)
    given = dict(args.meta)
    meta = ImageMeta(*(given.get(key, "") for key in FIELDS))
    if meta.mismatch(name):
        raise BadInput("--meta", [Problem("ImgName", f"is always the image's name, {name.filename}")])
    processes = SystemProcesses()
    maker = ImageMaker(processes, XzTarArchives(processes, memory_budget=0), Branding(image_prefix=args.prefix))
    source = RootFolder(args.root) if args.root is not None else RootArchive(args.tar)
    request = ImageRequest(source, name, args.output, meta)
    image = maker.create(request, lambda line: print(plain(line), file=sys.stderr, flush=True))
    print(f"{plain(image.path)}: {image.size} bytes, {image.entries} members, SHA-256 {image.digest}")
    return ExitCode.DONE


def _progress(path: str) -> ProgressReport:
    """A percentage on a terminal, nothing elsewhere."""
    shown = -1
    name = plain(path)

    def show(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // total if total else 100
        if percent != shown:
            shown = percent
            print(f"\r{percent:3} % {name}", end="\r" if percent < 100 else "\n", file=sys.stderr, flush=True)

    return show if sys.stderr.isatty() else lambda _done, _total: None


def _date(text: str) -> date:
    try:
        return parse_image_name(f"{text}.0{SUFFIX}", prefix="").date
    except BadInput as exc:
        raise argparse.ArgumentTypeError("; ".join(problem.message for problem in exc.problems)) from exc


def _prefix(text: str) -> str:
    if "/" in text or "\0" in text:
        raise argparse.ArgumentTypeError(f"must be the beginning of a file's name, is {text!r}")
    return text


def _build(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"must be digits, is {text!r}")
    if len(text) > _LONGEST_BUILD:
        raise argparse.ArgumentTypeError(f"has {len(text)} digits, more than {_LONGEST_BUILD}")
    return text


def _meta(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or key not in FIELDS:
        raise argparse.ArgumentTypeError(f"must be KEY=VALUE with KEY one of {', '.join(FIELDS)}, is {text!r}")
    return key, value
