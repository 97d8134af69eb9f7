"""Errors that nobody foresaw, made into ones that a flow reports: to the factory, in the log, to the history."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.domain.errors import GprovError, InternalError


class Unforeseen(InternalError):
    """Details are frames and lines only: the values in an exception may be secret."""

    def __init__(self, exc: Exception) -> None:
        super().__init__(f"unforeseen: {type(exc).__name__}")
        self._frames = tuple(line.rstrip() for line in traceback.format_tb(exc.__traceback__))

    @override
    def details(self) -> tuple[str, ...]:
        return self._frames


@contextmanager
def foreseen() -> Iterator[None]:
    """Raises Unforeseen for every exception that is not of our own tree."""
    try:
        yield
    except GprovError:
        raise
    except Exception as exc:
        raise Unforeseen(exc) from exc
