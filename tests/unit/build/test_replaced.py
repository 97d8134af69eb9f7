"""What modules of an initramfs import from a module that is replaced there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.closure import Module
from gprov.apps.host.initramfs.replaced import check_replaced
from gprov.domain.errors import BadInput

BUILDROOT = Path(__file__).parents[3] / "buildroot"


def refused(folder: Path, source: str) -> list[str]:
    """What is missing for a module with this text, on a unit."""
    file = folder / "adopter.py"
    file.write_text(source)
    replace = tomllib.loads((BUILDROOT / "initramfs.toml").read_text())["common"]["replace"]
    replaced = [Module(name, str(BUILDROOT / path), is_package=False) for name, path in replace.items()]
    try:
        check_replaced([Module("adopter", str(file), is_package=False)], replaced)
    except BadInput as error:
        return [f"{problem.place.rpartition(':')[2]} {problem.message.split()[0]}" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("from typing_extensions import Self, override", ["1 typing_extensions.Self"]),
        ("import sys\ndef f():\n    from dataclasses import make_dataclass as m", ["3 dataclasses.make_dataclass"]),
        ("import dataclasses as d\nKIND = d.make_dataclass('A', [])", ["2 dataclasses.make_dataclass"]),
        ("import dataclasses\nKIND = dataclasses.make_dataclass", ["2 dataclasses.make_dataclass"]),
        ("from dependency_injector.wiring import inject", ["1 dependency_injector.wiring"]),
        ("import dependency_injector.providers as p", ["1 dependency_injector.providers"]),
        ("from dependency_injector import wiring", ["1 dependency_injector.wiring"]),
        ("if 1:\n    pass\nelse:\n    from typing_extensions import Self", ["4 typing_extensions.Self"]),
    ],
)
def test_what_the_replacement_lacks_is_named(tmp_path: Path, source: str, missing: list[str]) -> None:
    assert refused(tmp_path, source) == missing


@pytest.mark.parametrize(
    "source",
    [
        "from typing_extensions import override",
        "from dataclasses import FrozenInstanceError, KW_ONLY, MISSING, InitVar, asdict, astuple, field",
        "import dataclasses\nKIND = dataclasses.dataclass",
        "from dependency_injector import containers, providers",
        "try:\n    from typing_extensions import Self\nexcept ImportError:\n    Self = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing_extensions import Self",
        "from other import dataclasses\nKIND = dataclasses.make_dataclass",
        "import ctypes.util\nFOUND = ctypes.util.find_library",
    ],
)
def test_what_it_has_and_what_is_not_imported_on_a_unit(tmp_path: Path, source: str) -> None:
    assert refused(tmp_path, source) == []
