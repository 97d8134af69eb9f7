"""What the PartFiles port promises, for any adapter."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.update import PartFiles


@dataclass(frozen=True)
class PartWorld:
    """``folder``: an existing one, "" for the root."""

    files: PartFiles
    folder: str

    @property
    def path(self) -> str:
        return f"{self.folder}/a.partial"

    @property
    def content(self) -> bytes:
        return b"".join(self.files.blocks(self.path))


def check_grows(world: PartWorld) -> None:
    with world.files.open(world.path) as part:
        assert part.size == 0
        part.append(b"abc")
        part.append(b"def")
        part.flush()
        assert part.size == 6
    with world.files.open(world.path) as part:
        assert part.size == 6
        part.append(b"g")
    assert world.content == b"abcdefg"


def check_shortened(world: PartWorld) -> None:
    with world.files.open(world.path) as part:
        part.append(b"abcdef")
        part.shorten(9)
        assert part.size == 6
        part.shorten(2)
        part.append(b"x")
        part.flush()
    assert world.content == b"abx"


def check_large(world: PartWorld) -> None:
    block = bytes(range(256)) * 512
    with world.files.open(world.path) as part:
        for _ in range(20):
            part.append(block)
        part.flush()
    assert world.content == block * 20


def check_nothing_there(world: PartWorld) -> None:
    with pytest.raises(DeviceMissing):
        _ = world.content
    with pytest.raises(DeviceFault), world.files.open(f"{world.folder}/no-folder/a"):
        pass


PART_CHECKS = (check_grows, check_shortened, check_large, check_nothing_there)
