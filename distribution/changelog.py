"""CHANGELOG.md: what its headings have to be, and the changelog of the Debian packages that is made of it.

The newest heading is that of ``gprov.__version__``: ``## 1.2.3 (unreleased)`` while the version is ``1.2.3.devN``,
``## 1.2.3 (2026-01-31)`` once it is ``1.2.3``. Older headings have dates. Format of Debian's: deb-changelog(5).

``python -m distribution.changelog DATE`` prints Debian's. DATE: that of an unreleased version, in seconds of Unix time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from textwrap import wrap

from gprov import __version__
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.debian_version import debian_version

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
SOURCE = "gprov"
MAINTAINER = "gprov <gprov@localhost>"
_UNRELEASED = "unreleased"
_WIDTH = 78
_HEADING = re.compile(r"## ([0-9]+)\.([0-9]+)\.([0-9]+) \((unreleased|[0-9]{4}-[0-9]{2}-[0-9]{2})\)")


@dataclass(frozen=True, slots=True)
class Release:
    """``day``: None if it is not released. ``items``: what changed, each with its lines."""

    version: tuple[int, int, int]
    day: date | None
    items: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        return ".".join(map(str, self.version))


def parse_changelog(text: str) -> tuple[Release, ...]:
    """Newest first. Raises BadInput with every problem."""
    problems: list[Problem] = []
    title, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    if title.strip() != "# Changelog":
        problems.append(Problem("title", "must be '# Changelog', with releases below it"))
    releases = tuple(release for part in parts if (release := _release(part, problems)) is not None)
    problems += _order_problems(releases)
    if not releases:
        problems.append(Problem("", "has no release"))
    if problems:
        raise BadInput(CHANGELOG.name, problems)
    return releases


def version_problem(newest: Release, version: str) -> str | None:
    """What is wrong with the newest heading, None if it is that of the version."""
    wanted = rf"{re.escape(newest.text)}\.dev[0-9]+" if newest.day is None else re.escape(newest.text)
    if re.fullmatch(wanted, version):
        return None
    state = _UNRELEASED if newest.day is None else f"released on {newest.day}"
    return f"the newest heading is {newest.text}, {state}, which the version {version!r} does not belong to"


def debian_changelog(releases: Sequence[Release], version: str, now: int) -> str:
    """``now``: date of an unreleased version, in seconds of Unix time."""
    return "\n".join(_entry(release, version, now) for release in releases)


def _release(part: str, problems: list[Problem]) -> Release | None:
    heading, *lines = part.splitlines()
    found = _HEADING.fullmatch(heading)
    if found is None:
        problems.append(Problem(heading, "must be '## N.N.N (unreleased)' or '## N.N.N (YYYY-MM-DD)'"))
        return None
    major, minor, patch, day = found.groups()
    items = tuple(_items(lines))
    if not items or not items[0][0].startswith("- "):
        problems.append(Problem(heading, "must be followed by a list of changes, each beginning with '- '"))
        return None
    try:
        released = None if day == _UNRELEASED else date.fromisoformat(day)
    except ValueError as exc:
        problems.append(Problem(heading, str(exc)))
        return None
    return Release((int(major), int(minor), int(patch)), released, items)


def _items(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    item: list[str] = []
    for line in lines:
        if line.startswith("- ") and item:
            yield tuple(item)
            item = []
        if line.strip():
            item.append(line)
    if item:
        yield tuple(item)


def _order_problems(releases: Sequence[Release]) -> Iterator[Problem]:
    for newer, older in pairwise(releases):
        if older.version >= newer.version:
            yield Problem(older.text, f"stands below {newer.text}, and is not older")
        if older.day is None:
            yield Problem(older.text, "is unreleased, and not the newest")
        elif newer.day is not None and older.day > newer.day:
            yield Problem(older.text, f"was released after {newer.text}")


def _entry(release: Release, version: str, now: int) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    if release.day is not None:
        moment = datetime(release.day.year, release.day.month, release.day.day, 12, tzinfo=UTC)
    number = debian_version(version if release.day is None else release.text)
    lines = [f"{SOURCE} ({number}) unstable; urgency=medium", ""]
    for item in release.items:
        text = " ".join(line.strip() for line in item).removeprefix("- ")
        lines += wrap(text, _WIDTH, initial_indent="  * ", subsequent_indent="    ", break_long_words=False)
    return "\n".join([*lines, "", f" -- {MAINTAINER}  {format_datetime(moment)}", ""])


def main(words: Sequence[str]) -> int:
    releases = parse_changelog(CHANGELOG.read_text())
    problem = version_problem(releases[0], __version__)
    if problem is not None:
        raise BadInput(CHANGELOG.name, [Problem("", problem)])
    sys.stdout.write(debian_changelog(releases, __version__, int(words[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
