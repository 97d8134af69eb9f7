"""How far a long command is: a bar on a terminal, else a line every few seconds. On standard error."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gprov.apps.host.cli.output import say
from gprov.domain.formats.printable import printable_text
from gprov.ports.archive import ProgressReport

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

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
def progress_of_several() -> Iterator[Callable[[str, int, int], None]]:
    """Yields what is called with (what, done, total), from any thread: a bar, or lines, for each ``what``. A bar
    that is complete is removed."""
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
        return
    lines: dict[str, ProgressReport] = {}
    lock = threading.Lock()

    def report_line(what: str, done: int, total: int) -> None:
        with lock:
            lines.setdefault(what, _lines(what))(done, total)

    yield report_line


@contextmanager
def _bar(what: str) -> Iterator[ProgressReport]:
    """It is removed at the end."""
    with _rich() as bar:
        task = bar.add_task(printable_text(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    with _rich() as bars:
        tasks: dict[str, TaskID] = {}
        lock = threading.Lock()

        def report(what: str, done: int, total: int) -> None:
            with lock:
                if what not in tasks:
                    tasks[what] = bars.add_task(printable_text(what), total=total)
                bars.update(tasks[what], completed=done, total=total, visible=done < total)

        yield report


@contextmanager
def _rich() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        yield bar


def _lines(what: str) -> ProgressReport:
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SECONDS:
            last = now
            say(f"{what}: {100 * done // total if total else 100} %", err=True)

    return report
