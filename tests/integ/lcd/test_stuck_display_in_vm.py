"""A display that reads nothing, in a virtual machine with the kernel of units: what it has not accepted does not keep
anything waiting."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integ.conftest import Guest
from tests.integ.lcd.stuck_adapter import StuckAdapter

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

_SECONDS = 240.0
# On an emulated processor of a busy host.
AT_ONCE = 2.0


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[StuckAdapter]:
    with StuckAdapter(tmp_path / "adapter") as adapter:
        yield adapter


@pytest.fixture
def guest_disks(adapter: StuckAdapter, tmp_path: Path) -> list[str]:
    """Its disks: none; besides, the adapter."""
    devices = ("-device", "qemu-xhci", "-device", "usb-redir,chardev=adapter")
    return ["-chardev", f"socket,id=adapter,path={tmp_path}/adapter", *devices]


def test_closing_the_port_of_a_display_that_does_not_read_takes_no_time(guest: Guest, adapter: StuckAdapter) -> None:
    console = guest(sys.executable, "-m", "tests.integ.lcd.guest_close", seconds=_SECONDS)
    words = [line.split() for line in console.splitlines() if line.startswith(("WAIT", "CLOSE", "SHOWN"))]
    assert [word for word, _ in words] == ["WAIT", "CLOSE", "WAIT", "CLOSE", "SHOWN"]
    print(words)
    default, waited, none, closed, ended = (float(value) for _, value in words)
    # Without the setting the kernel waits: this is what a unit would wait for.
    assert (default, none) == (3000, 65535)
    assert waited > 25
    assert closed < AT_ONCE
    assert ended < AT_ONCE
    assert adapter.refused
