"""Manual pages as man, groff and mandoc read them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from distribution.command_pages import CommandPage, command_pages
from distribution.man import write_pages
from gprov.apps.host.cli.commands import whole_application

TOOLS = ("man", "groff", "mandoc", "lexgrog")
pytestmark = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")

SECONDS = 120.0
PAGES = {page.name: page for page in command_pages(whole_application())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("man")
    assert len(write_pages(made, 1_767_225_600)) == len(PAGES)
    return made


def read(*command: str | Path, width: int = 80) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": str(width), "MAN_KEEP_FORMATTING": ""}
    done = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_groff_has_no_warning_and_shows_all_texts(folder: Path) -> None:
    for name, page in PAGES.items():
        done = read("groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=400n", folder / f"{name}.1")
        assert done.stderr == "", name
        shown = " ".join(done.stdout.split())
        for text in texts(page):
            assert " ".join(text.split()) in shown, name


def texts(page: CommandPage) -> list[str]:
    entries = [word for entry in (*page.arguments, *page.options, *page.inner) for word in entry]
    return [*page.paragraphs, *entries, " ".join(page.words)]


@pytest.mark.parametrize("name", ["gprov", "gprov-server", "gprov-simulate-lifecycle"])
def test_man_has_no_warning_on_a_terminal_of_80_columns(folder: Path, name: str) -> None:
    done = read("man", "--warnings", "--local-file", folder / f"{name}.1")
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert f"{name} - {PAGES[name].summary}"[:60] in done.stdout


def test_mandoc_has_no_warning(folder: Path) -> None:
    done = read("mandoc", "-T", "lint", "-W", "warning", *sorted(folder.iterdir()))
    assert (done.stdout, done.stderr) == ("", "")


def test_the_index_of_manuals_understands_the_names(folder: Path) -> None:
    printed = read("lexgrog", *sorted(folder.iterdir())).stdout
    found = dict(re.findall(r'/([\w-]+)\.1: "(.*)"$', printed, re.MULTILINE))
    assert found == {name: f"{name} - {page.summary}" for name, page in PAGES.items()}
