"""Execution of programs: the only port that starts programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

# Default PATH of programs.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Completed:
    """Exit status and captured output of a program. ``output``: standard output, ``errors``: standard error; raw
    bytes."""

    status: int
    output: bytes = field(repr=False)
    errors: bytes = field(repr=False)


class Running(Protocol):
    """A running program, connected through pipes."""

    @property
    def pid(self) -> int: ...

    @property
    def stdin(self) -> BinaryIO:
        """Pipe to the program's standard input; only with ``feed=True``. Raises BrokenPipeError if it ended."""

    def wait(self, timeout: float) -> Completed:
        """Close the pipe and wait at most ``timeout`` seconds. Raises DeadlineExceeded; never ToolFailed."""

    def poll(self) -> int | None:
        """Exit status, or None while it runs."""

    def kill(self) -> None:
        """Kill the program and its children (SIGKILL to its process group). No error if it has already ended."""


class Processes(Protocol):
    """Start programs by argument vector: no shell, a clean environment, streams named explicitly.

    A program sees only ``PATH``, ``LC_ALL=C`` and what ``env`` adds. Arguments appear in logs: a secret goes
    through ``stdin`` or a file, never through ``argv``.
    """

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 300.0,
        check: bool = True,
    ) -> Completed:
        """Run to the end. With ``check``, a status other than 0 raises ToolFailed with the last output.

        Raises ToolMissing if there is no such program, DeadlineExceeded after ``timeout`` seconds, ToolFailed if it
        writes more than 64 MiB; the program and its children are then killed.
        """

    def start(
        self,
        argv: Sequence[str],
        *,
        feed: bool = False,
        log: str | None = None,
        most: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> AbstractContextManager[Running]:
        """Start without waiting; leaving the context kills what still runs.

        Output goes to the file ``log`` (appended), or is kept for ``Running.wait`` if that is None. A program that
        writes more than ``most`` bytes of output, or into any file, is ended (SIGXFSZ); None: it may.
        Raises ToolMissing.
        """

    def which(self, program: str) -> str | None:
        """Absolute path of an installed program, or None."""
