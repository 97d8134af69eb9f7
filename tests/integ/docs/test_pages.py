"""Every command of tutorial and how-to guides runs, and prints what the page shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.cache import default_root
from tests.integ.docs.blocks import Kind
from tests.integ.docs.pages import (
    DISK,
    SERVED,
    SIGNER,
    STICK,
    UNIT_OF_GPROVISION,
    Page,
    all_pages,
    built,
    machine_reports,
    not_run,
    of_gprovision,
    read,
    signed_units,
)
from tests.integ.docs.runs import follow
from tests.integ.docs.sandbox import CHECKOUT, Surroundings

_CACHE = default_root(os.environ)
# Kernels and the packages of a root are built or fetched, and machines started: with this machine's network and cache.
_BUILDS = Surroundings(own_network="", shared=(_CACHE,), seconds=1500.0, environment={"GPROV_CACHE": _CACHE})
_TUTORIAL = ("install", "platform", "build", "unit", "erase")

PAGES = (
    Page(names=("docs/tutorial/install.md", "docs/tutorial/platform.md")),
    Page(names=("docs/tutorial/erase.md",)),
    Page(names=tuple(f"docs/tutorial/{name}.md" for name in _TUTORIAL), around=_BUILDS, nightly=True),
    Page(names=("docs/how-to/signing.md",), prepare=signed_units),
    Page(names=("docs/how-to/erase-for-an-auditor.md",), around=Surroundings(before=DISK)),
    Page(names=("docs/how-to/platforms.md",), prepare=machine_reports),
    Page(names=("docs/how-to/simulation.md",), prepare=machine_reports),
    Page(names=("docs/how-to/emergency.md",), around=Surroundings(before=STICK), prepare=signed_units),
    Page(names=("docs/how-to/takeover.md",), around=Surroundings(before=UNIT_OF_GPROVISION), prepare=of_gprovision),
    Page(
        names=("docs/how-to/publish-updates.md",),
        around=Surroundings(before=SIGNER),
        prepare=signed_units,
    ),
    Page(names=("docs/how-to/secure-boot.md",)),
    Page(names=("docs/how-to/tls.md",), around=Surroundings(before=SERVED), prepare=built),
)

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and loop devices need root"),
]


def _marked(page: Page) -> object:
    marks = [pytest.mark.nightly, pytest.mark.vm] if page.nightly else []
    return pytest.param(page, marks=marks, id=f"{Path(page.names[-1]).stem}{'-all' if page.nightly else ''}")


@pytest.mark.parametrize("page", [_marked(page) for page in PAGES])
def test_a_reader_gets_there(page: Page, tmp_path: Path) -> None:
    for line in follow(page, tmp_path):
        print(line)


def test_every_command_is_run_or_its_reason_given() -> None:
    unexplained = [
        f"{name}:{block.line}" for name in all_pages() for block in read(name) if block.kind is Kind.UNEXPLAINED
    ]
    assert unexplained == []


def test_other_tests_that_run_commands_read_the_page() -> None:
    for name in all_pages():
        for block in read(name):
            if block.kind is Kind.ELSEWHERE:
                assert Path(name).name in (CHECKOUT / block.reason).read_text(), f"{name}:{block.line}"


def test_every_page_with_commands_is_followed() -> None:
    followed = {name for page in PAGES for name in page.names}
    assert followed <= set(all_pages())
    with_commands = {name for name in all_pages() if any(block.kind is Kind.COMMANDS for block in read(name))}
    assert with_commands == followed


def test_the_list_of_commands_that_are_not_run() -> None:
    """``python -m tests.integ.docs.write_not_run`` writes it."""
    text = not_run()
    print(text)
    assert (CHECKOUT / "docs/evidence/commands-not-run.md").read_text() == text
