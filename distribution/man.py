"""Manual pages of all commands: ``python -m distribution.man FOLDER DATE``. DATE: in seconds of Unix time.

They are made of the command line's own help when a package is built, and are not kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from distribution.command_pages import PROGRAM, CommandPage, command_pages
from distribution.roff import bold, escaped, italic, section, synopsis, tagged, title
from gprov import __version__
from gprov.apps.host.cli.commands import whole_application
from gprov.domain.errors import ExitCode

_STATUS = {
    ExitCode.DONE: "done, or valid",
    ExitCode.NEGATIVE: "a negative verdict",
    ExitCode.USAGE: "wrong usage",
    ExitCode.ENVIRONMENT: "the environment or a device failed",
}
_INTERRUPTED = ("130", "interrupted")
DOCUMENTS = "/usr/share/doc/gprov/docs"


def manual(page: CommandPage, pages: Sequence[CommandPage], day: str) -> str:
    """Return a page as troff text. ``pages``: all of them. ``day``: YYYY-MM-DD."""
    statuses = [*((str(int(code)), text) for code, text in _STATUS.items()), _INTERRUPTED]
    lines = [
        title(page.name, day, f"{PROGRAM} {__version__}"),
        ".nh",
        ".ad l",
        *section("NAME", [rf"{escaped(page.name)} \- {escaped(page.summary)}"]),
        *section("SYNOPSIS", [f"{bold(' '.join(page.words))} {synopsis(page.usage)}".rstrip()]),
        *section("DESCRIPTION", _paragraphs(page)),
        *section("ARGUMENTS", _entries(page.arguments)),
        *section("OPTIONS", _entries(page.options)),
        *section("COMMANDS", _commands(page)),
        *section("EXIT STATUS", (line for tag, text in statuses for line in tagged(bold(tag), text))),
        *section("SEE ALSO", [*_see_also(page, pages), ".PP", f"Documents: {italic(DOCUMENTS)}"]),
    ]
    return "\n".join(lines) + "\n"


def _paragraphs(page: CommandPage) -> Iterator[str]:
    for number, text in enumerate(page.paragraphs):
        if number:
            yield ".PP"
        yield escaped(text)


def _entries(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    for written, means in entries:
        yield from tagged(synopsis(written), means)


def _commands(page: CommandPage) -> Iterator[str]:
    for word, summary in page.inner:
        yield from tagged(bold(word), summary)


def _see_also(page: CommandPage, pages: Sequence[CommandPage]) -> list[str]:
    """The page above, and those directly below."""
    above = [each for each in pages if each.words == page.words[:-1]]
    below = [each for each in pages if each.words[:-1] == page.words]
    names = [rf"{bold(each.name)}(1)" for each in (*above, *below)]
    return [f"{name}," for name in names[:-1]] + names[-1:]


def write_pages(folder: Path, now: int) -> list[Path]:
    """``now``: in seconds of Unix time."""
    pages = list(command_pages(whole_application()))
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for page in pages:
        path = folder / f"{page.name}.1"
        path.write_text(manual(page, pages, day), encoding="ascii")
        written.append(path)
    return written


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]), int(sys.argv[2]))
