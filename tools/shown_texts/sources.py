"""Which modules run on a unit: those that its programs import, directly or by name in a container."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Programs by the packages that they begin with, and what they are called for readers.
PROGRAMS = {
    "start": ("gprov.apps.init",),
    "restore": ("gprov.apps.restore",),
    "erase": ("gprov.apps.erase",),
    "provisioning": ("gprov.apps.mfg",),
    "updates": ("gprov.apps.update",),
}
# Those of the kernel; the agent of updates runs in the system and has only what it imports.
OF_KERNEL = ("start", "restore", "erase", "provisioning")
# The tools in an image, which are scripts.
TOOLS = "tools"
_SHARED = "gprov.apps.unit"
_DOTTED = re.compile(r"gprov(?:\.\w+)+")


@dataclass(frozen=True)
class Module:
    """``programs``: those that contain it."""

    name: str
    path: Path
    tree: ast.Module
    programs: tuple[str, ...]


def unit_modules(root: Path = ROOT) -> tuple[Module, ...]:
    """All modules of the programs of a unit, by name."""
    trees: dict[str, ast.Module] = {}
    reached = {program: _closure(root, packages, trees) for program, packages in PROGRAMS.items()}
    shared = _closure(root, (_SHARED,), trees)
    return tuple(
        Module(name, module_path(root, name), trees[name], _programs(name, reached, shared)) for name in sorted(trees)
    )


def module_path(root: Path, name: str) -> Path:
    """Raises FileNotFoundError."""
    base = root.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    raise FileNotFoundError(name)


def _programs(name: str, reached: dict[str, set[str]], shared: set[str]) -> tuple[str, ...]:
    """What belongs to one program is its own, even if another one runs it as a part."""
    for program, packages in PROGRAMS.items():
        if name.startswith(packages):
            return (program,)
    everywhere = OF_KERNEL if name in shared else ()
    return tuple(program for program in PROGRAMS if program in everywhere or name in reached[program])


def _closure(root: Path, packages: tuple[str, ...], trees: dict[str, ast.Module]) -> set[str]:
    """Names of the modules of the packages and of all that they import, without other programs."""
    waiting = [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for package in packages
        for path in root.joinpath(*package.split(".")).rglob("*.py")
    ]
    found: set[str] = set()
    while waiting:
        name = waiting.pop().removesuffix(".__init__")
        if name in found:
            continue
        found.add(name)
        if name not in trees:
            trees[name] = ast.parse(module_path(root, name).read_text())
        waiting += [one for one in imported(root, trees[name]) if one not in found]
    return found


def imported(root: Path, tree: ast.Module) -> Iterator[str]:
    """Modules of gprov that a module imports anywhere, also those that it names in text, as containers do."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names if _exists(root, alias.name))
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("gprov"):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names if _exists(root, f"{module}.{alias.name}"))
            case ast.Constant(value=str(text)) if _DOTTED.fullmatch(text):
                yield from (one for one in (text, text.rpartition(".")[0]) if _exists(root, one))
            case _:
                pass


def _exists(root: Path, name: str) -> bool:
    if not name.startswith("gprov"):
        return False
    try:
        module_path(root, name)
    except FileNotFoundError:
        return False
    return True
