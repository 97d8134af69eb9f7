"""Loop devices over sparse files: disks that any root may break. No test touches another device."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.domain.disk.model import Disk

MakeDisk = Callable[..., Disk]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("vm") is None:
            item.add_marker(pytest.mark.device)


@pytest.fixture
def blocks() -> SysfsBlockDevices:
    return SysfsBlockDevices(include_loop=True)


@pytest.fixture
def make_disk(tmp_path: Path, blocks: SysfsBlockDevices) -> Iterator[MakeDisk]:
    """``make_disk(size, sector=512)`` → a blank disk of so many bytes; gone after the test."""
    with ExitStack() as stack:

        def make(size: int, sector: int = 512) -> Disk:
            if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
                pytest.skip("needs root and loop devices")
            image = tmp_path / f"disk{len(list(tmp_path.glob('disk*')))}"
            with image.open("wb") as file:
                file.truncate(size)
            node = run("losetup", "--find", "--show", "--sector-size", str(sector), str(image)).strip()
            stack.callback(_detach, node)
            return next(disk for disk in blocks.disks() if disk.node == node)

        yield make


@pytest.fixture
def mount_point(tmp_path: Path) -> Iterator[Path]:
    """A folder; whatever is mounted there is unmounted after the test."""
    point = tmp_path / "mounted"
    point.mkdir()
    yield point
    while point.is_mount():
        subprocess.run(["umount", str(point)], check=True)


def run(*argv: str, stdin: str = "") -> str:
    """An independent tool; its failure fails the test."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def _detach(node: str) -> None:
    subprocess.run(["partx", "--delete", node], capture_output=True)
    run("losetup", "--detach", node)
    # Detaching is put off while another process (a probe) still has the device open.
    backing = Path(f"/sys/class/block/{Path(node).name}/loop/backing_file")
    end = time.monotonic() + 10
    while backing.exists() and time.monotonic() < end:
        os.sync()


@pytest.fixture
def tool() -> Callable[..., str]:
    """``tool(program, argument, …, stdin="")`` → its output."""
    return run
