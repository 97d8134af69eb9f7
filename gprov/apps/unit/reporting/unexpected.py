"""Translating unexpected exceptions into errors that a flow reports: to the factory, in the log, in the history."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.domain.errors import GprovError, InternalError


class UnexpectedError(InternalError):
    """An exception that is not a GprovError. The details are frames and lines only: its values may be secret."""

    def __init__(self, exc: Exception) -> None:
        super().__init__(f"unexpected error: {type(exc).__name__}")
        self._frames = tuple(line.rstrip() for line in traceback.format_tb(exc.__traceback__))

    @override
    def details(self) -> tuple[str, ...]:
        return self._frames


@contextmanager
def unexpected_errors_translated() -> Iterator[None]:
    """Raises UnexpectedError for every exception of the body that is not a GprovError."""
    try:
        yield
    except GprovError:
        raise
    except Exception as exc:
        raise UnexpectedError(exc) from exc
