"""A machine without programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from typing_extensions import override

from gprov.domain.errors import ToolMissing
from gprov.ports.process import Completed, Processes, Running


class NoProcesses(Processes):
    """Every program is missing: whoever starts one on a simulated machine learns so."""

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
        raise ToolMissing(argv[0])

    @override
    def start(
        self,
        argv: Sequence[str],
        *,
        feed: bool = False,
        log: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> AbstractContextManager[Running]:
        raise ToolMissing(argv[0])

    @override
    def which(self, program: str) -> str | None:
        return None
