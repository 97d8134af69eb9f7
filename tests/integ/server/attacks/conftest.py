"""Servers to be attacked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.integ.server.attacks.attacked import Attacked

Start = Callable[..., Attacked]


def no_traceback(server: Attacked) -> None:
    assert "Traceback" not in server.log


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server with these settings (server.toml), and this limit for open files. At its end it must still run,
    and its log must have no traceback."""
    with ExitStack() as stack:

        def started(settings: str = "", files: int = 1024) -> Attacked:
            server = Attacked(tmp_path / "data", settings, files)
            stack.callback(lambda: no_traceback(server))
            stack.enter_context(closing(server))
            server.start()
            return server

        yield started
