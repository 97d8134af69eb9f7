"""How far a long command is: a bar on a terminal, else a line every few seconds. On standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.host.cli.output import say
from gprov.domain.formats.printable import printable_text
from gprov.ports.archive import ProgressReport

_SECONDS = 10.0


@contextmanager
def progress(what: str) -> Iterator[ProgressReport]:
    """Yields what is called with (done, total) as the work goes on; ``total`` 0 means that there is nothing to do."""
    if sys.stderr.isatty():
        with _bar(what) as report:
            yield report
    else:
        yield _lines(what)


@contextmanager
def _bar(what: str) -> Iterator[ProgressReport]:
    """It is removed at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(printable_text(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(what: str) -> ProgressReport:
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SECONDS:
            last = now
            say(f"{what}: {100 * done // total if total else 100} %", err=True)

    return report
