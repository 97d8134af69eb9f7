"""Runs the blocks of pages as a reader does: makes files, enters commands, compares what they print."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tests.integ.docs.blocks import Block, Kind, matches
from tests.integ.docs.pages import Page, read
from tests.integ.docs.sandbox import PageShell, page_shell


def follow(page: Page, folder: Path) -> Iterator[str]:
    """Follow the pages; return a line about each of them. Raises AssertionError with page, line, commands, expected
    and actual output. ``folder``: empty."""
    files, work = folder / "files", folder / "mounts"
    files.mkdir()
    work.mkdir()
    page.prepare(files)
    with page_shell(files, work, page.around) as shell:
        for name in page.names:
            seconds = 0.0
            for block, expected in _with_output(read(name)):
                seconds += _do(shell, files, page, f"{name}:{block.line}", block, expected)
            yield f"{name}: {seconds:.1f} s"


def _with_output(blocks: tuple[Block, ...]) -> Iterator[tuple[Block, str | None]]:
    """Files and commands, these with the output that the page shows."""
    for number, block in enumerate(blocks):
        following = blocks[number + 1] if number + 1 < len(blocks) else None
        shown = following.text if following is not None and following.kind is Kind.OUTPUT else None
        if block.kind in (Kind.COMMANDS, Kind.FILE):
            yield block, shown


def _do(shell: PageShell, files: Path, page: Page, place: str, block: Block, expected: str | None) -> float:
    if block.kind is Kind.FILE:
        target = files / block.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text)
        return 0.0
    done = shell.run(block.text, block.typed, page.around.seconds)
    said = f"{place}\n{block.text}\n--- printed\n{done.output}"
    assert done.passed, f"{said}--- a command failed"
    assert expected is None or matches(expected, done.output), f"{said}--- the page shows\n{expected}"
    if os.environ.get("GPROV_DOCS_VERBOSE"):
        print(f"{said}--- {done.seconds:.1f} s", flush=True)
    return done.seconds
