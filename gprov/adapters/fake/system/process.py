"""Programs of a simulated machine, replaced by Python functions. A program without function is missing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from typing_extensions import override

from gprov.domain.errors import ToolFailed, ToolMissing
from gprov.ports.process import Completed, Processes, Running

# Argument vector, added environment and standard input of one run → result.
Program = Callable[[Sequence[str], Mapping[str, str], bytes], Completed]


@dataclass(frozen=True)
class Run:
    """One program run: its arguments, environment and exit status."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str | None
    status: int


@dataclass
class FakeProcesses(Processes):
    """``programs`` by name. ``runs``: what was run, in order."""

    programs: dict[str, Program] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    @override
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
        done = self._run(argv, env or {}, cwd, stdin)
        if check and done.status:
            output = (done.errors or done.output).decode(errors="replace")
            raise ToolFailed(argv[0], f"exit status {done.status}", command=" ".join(argv), output=output)
        return done

    @override
    @contextmanager
    def start(
        self,
        argv: Sequence[str],
        *,
        feed: bool = False,
        log: str | None = None,
        most: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Iterator[Running]:
        self._program(argv[0])
        yield _FakeChild(lambda fed: self._run(argv, env or {}, cwd, fed))

    @override
    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def _run(self, argv: Sequence[str], env: Mapping[str, str], cwd: str | None, stdin: bytes) -> Completed:
        done = self._program(argv[0])(argv, env, stdin)
        self.runs.append(Run(tuple(argv), dict(env), cwd, done.status))
        return done

    def _program(self, name: str) -> Program:
        if name not in self.programs:
            raise ToolMissing(name)
        return self.programs[name]


class _FakeChild(Running):
    """Runs in ``wait``, when its input is complete."""

    def __init__(self, run: Callable[[bytes], Completed]) -> None:
        self._run = run
        self._fed = io.BytesIO()
        self._done: Completed | None = None

    @property
    @override
    def pid(self) -> int:
        return 2

    @property
    @override
    def stdin(self) -> BinaryIO:
        return self._fed

    @override
    def wait(self, timeout: float) -> Completed:
        if self._done is None:
            self._done = self._run(self._fed.getvalue())
        return self._done

    @override
    def poll(self) -> int | None:
        return self._done.status if self._done is not None else None

    @override
    def kill(self) -> None:
        """No effect: the program has not started, or has ended."""
