"""What the UpdateServer port promises, for any adapter."""

from __future__ import annotations

from typing import Protocol

import pytest

from gprov.domain.errors import HttpRefusal, NetworkFault
from gprov.ports.update import UpdateServer

CONTENT = bytes(range(256)) * 64


class UpdateWorld(Protocol):
    """``port``: to a server with ``CONTENT`` at ``url``. ``set``: whether it sends parts of files, and after how many
    bytes its next connection ends. ``change``: it has another file of the same length there from now on."""

    @property
    def port(self) -> UpdateServer: ...

    @property
    def url(self) -> str: ...

    def set(self, *, ranges: bool = True, ends_after: int | None = None) -> None: ...

    def change(self) -> None: ...


def received(world: UpdateWorld, begin: int = 0, proof: str = "") -> tuple[int, str, bytes]:
    """First byte, proof, and all that came."""
    with world.port.open(world.url, begin=begin, proof=proof) as stream:
        return stream.begin, stream.proof, b"".join(stream.blocks())


def check_whole(world: UpdateWorld) -> None:
    begin, proof, content = received(world)
    assert (begin, content) == (0, CONTENT)
    assert proof


def check_rest(world: UpdateWorld) -> None:
    _, proof, _ = received(world)
    assert received(world, 100, proof) == (100, proof, CONTENT[100:])
    assert received(world, 100)[::2] == (100, CONTENT[100:])


def check_rest_without_parts(world: UpdateWorld) -> None:
    world.set(ranges=False)
    _, proof, _ = received(world)
    assert received(world, 100, proof)[::2] == (0, CONTENT)
    with world.port.open(world.url) as stream:
        assert not stream.resumable


def check_changed(world: UpdateWorld) -> None:
    _, proof, _ = received(world)
    world.change()
    begin, other, content = received(world, 100, proof)
    assert begin == 0
    assert other != proof
    assert len(content) == len(CONTENT)


def check_broken(world: UpdateWorld) -> None:
    world.set(ends_after=1000)
    came: list[bytes] = []
    with pytest.raises(NetworkFault), world.port.open(world.url) as stream:
        came.extend(stream.blocks())
    assert b"".join(came) in (b"", CONTENT[:1000])


def check_missing(world: UpdateWorld) -> None:
    with pytest.raises(HttpRefusal) as caught, world.port.open(f"{world.url}.not"):
        pass
    assert caught.value.status == 404


CHECKS = (check_whole, check_rest, check_rest_without_parts, check_changed, check_broken, check_missing)
