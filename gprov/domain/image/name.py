"""Names of image files: prefix, date, build number, suffix, as in ``WIDGET.LNX.SHINY.2024-02-29.0107.upd``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from gprov.domain.errors import BadInput, Problem

SUFFIX = ".upd"
_MAX_LENGTH = 255  # no file system that RECOVERY can have allows more
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BUILD = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True, order=True)
class ImageName:
    """Ordered by date, then by build number as an integer; ``build_text`` (leading zeros) and prefix break ties."""

    date: date
    build: int
    build_text: str
    prefix: str

    @property
    def stem(self) -> str:
        """Without ``.upd``: what disktags and the recovery history call the image."""
        return f"{self.prefix}{self.date.isoformat()}.{self.build_text}"

    @property
    def filename(self) -> str:
        return self.stem + SUFFIX

    @property
    def disktag(self) -> str:
        """Name of the empty file in the root of a restored PRIMARY."""
        return self.stem + ".disktag"


def parse_image_name(filename: str, prefix: str) -> ImageName:
    """The parts of a file name (no folder). Raises BadInput with every part that is wrong."""
    problems: list[Problem] = []
    if len(filename) > _MAX_LENGTH:
        raise BadInput(f"image name {filename[:40]!r}…", [Problem("", f"is longer than {_MAX_LENGTH} characters")])
    rest = filename
    if rest.startswith(prefix):
        rest = rest[len(prefix) :]
    else:
        problems.append(Problem("prefix", f"must be {prefix!r}"))
        rest = _after_foreign_prefix(rest)
    if rest.endswith(SUFFIX):
        rest = rest[: -len(SUFFIX)]
    else:
        problems.append(Problem("suffix", f"must be {SUFFIX!r}"))
        rest = ".".join(rest.split(".")[:2])
    day_text, _, build_text = rest.partition(".")
    day = _day(day_text, problems)
    if not _BUILD.fullmatch(build_text):
        problems.append(Problem("build", f"must be one or more of the digits 0-9, is {build_text!r}"))
    if problems or day is None:
        raise BadInput(f"image name {filename!r}", problems)
    return ImageName(day, int(build_text), build_text, prefix)


def _after_foreign_prefix(text: str) -> str:
    """Where date and build begin in a name with another prefix, so that they are checked too."""
    found = _DATE.search(text)
    return text[found.start() :] if found else text


def _day(text: str, problems: list[Problem]) -> date | None:
    match = _DATE.fullmatch(text)
    if match is None:
        problems.append(Problem("date", f"must be YYYY-MM-DD, is {text!r}"))
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        problems.append(Problem("date", f"{text} is not in the calendar"))
        return None
