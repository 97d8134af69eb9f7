"""Contract of Firmware. The rules are functions that also run as process 1 of a kernel that real firmware started."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gprov.domain.boot.firmware import FirmwareKind

if TYPE_CHECKING:
    from tests.unit.contract.conftest import World

RULES = Path(__file__).parents[2] / "integ/boot/vm/firmware_contract.py"


def loaded(path: Path) -> ModuleType:
    """By path, since test folders are no packages."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CONTRACT = loaded(RULES)


@pytest.mark.parametrize("name", [rule.__name__ for rule in CONTRACT.CONTRACT])
def test_firmware(world: World, name: str) -> None:
    assert world.firmware.kind() is FirmwareKind.UEFI
    before = set(world.firmware.variables())
    CONTRACT.clean(world.firmware)
    getattr(CONTRACT, name)(world.firmware)
    CONTRACT.clean(world.firmware)
    assert set(world.firmware.variables()) == before
