"""Platform table and branding of an adopter, built into an initramfs.

The initramfs gets a start module that is made here, and the table as ``/etc/gprov/appliance.json``. An adopter who
replaces adapters, too, writes such a module himself (docs/how-to/platforms.md).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

from gprov.apps.host.initramfs.cpio import Node, regular
from gprov.apps.host.initramfs.hostfiles import write_file
from gprov.apps.host.initramfs.rootfs import inside
from gprov.apps.host.initramfs.spec import FreezeSpec
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem

TABLE = "/etc/gprov/appliance.json"
MODULE = "gprov_own_start"
_USUAL_START = "gprov.apps.init.main:main"

_IMPORTS = """from gprov.apps.init.container import InitContainer
from gprov.apps.init.main import start
from gprov.apps.unit.composition.wiring import override, set_value
from gprov.domain.branding import Branding
"""
# The parser is imported only where a table is needed: not by a normal boot.
_PLATFORMS = f"""
def platforms():
    from gprov.domain.platform.table import parse_platform_table

    with open({TABLE!r}, "rb") as file:
        return parse_platform_table({TABLE!r}, file.read())
"""
_MAIN = """
def main():
    unit = InitContainer()
    {lines}
    start(unit)
"""


@dataclass(frozen=True, slots=True)
class OwnNames:
    """``table``: content of a platform table that was found valid, None for the built-in one."""

    branding: Branding = field(default_factory=Branding)
    table: bytes | None = None

    @property
    def empty(self) -> bool:
        return self.table is None and self.branding == Branding()

    def source(self) -> str:
        """Text of the start module."""
        usual = Branding()
        changed = [each.name for each in fields(Branding)]
        changed = [name for name in changed if getattr(self.branding, name) != getattr(usual, name)]
        values = ", ".join(f"{name}={getattr(self.branding, name)!r}" for name in changed)
        lines = [f"set_value(unit.branding, Branding({values}))"] if changed else []
        lines += ["override(unit.platforms, platforms)"] if self.table is not None else []
        functions = _PLATFORMS if self.table is not None else ""
        return _IMPORTS + functions + _MAIN.format(lines="\n    ".join(lines))

    def nodes(self) -> tuple[Node, ...]:
        """Files of the initramfs, besides the start module."""
        return () if self.table is None else (regular(inside(TABLE), self.table),)

    @contextmanager
    def started(self, spec: FreezeSpec, source: str, path: Sequence[str]) -> Iterator[tuple[FreezeSpec, Sequence[str]]]:
        """The specification with the start module, and the search path on which it is while the context lasts.
        ``source``: name of the specification. Raises BadInput if it has a start module of its own."""
        if self.empty:
            yield spec, path
            return
        if spec.start != _USUAL_START:
            reason = f"{spec.start} decides names and platforms; --platforms and --branding need {_USUAL_START}"
            raise BadInput(source, [Problem("start", reason)])
        boot_modules = spec.boot_modules | {MODULE} if spec.boot_modules else spec.boot_modules
        with tempfile.TemporaryDirectory(prefix="gprov-start-") as folder:
            write_file(os.path.join(folder, f"{MODULE}.py"), self.source().encode())
            yield replace(spec, start=f"{MODULE}:main", boot_modules=boot_modules), (folder, *path)
