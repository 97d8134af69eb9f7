"""Puts the files of buildroot/ that builds and the lab read into the package. All else is in pyproject.toml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SOURCE = Path("buildroot")
TARGET = Path("gprov/buildroot")  # gprov.apps.host.initramfs.shipped finds them there
SHIPPED = ("initramfs.toml", "initramfs", "kernel", "rootfs")
# Facts of the kernel's source for a page of the documentation.
NOT_SHIPPED = frozenset({Path("kernel/drivers.tsv")})


def shipped() -> Iterator[Path]:
    """Paths of the files, relative to SOURCE."""
    for name in SHIPPED:
        found = [SOURCE / name] if (SOURCE / name).is_file() else sorted((SOURCE / name).rglob("*"))
        for path in found:
            inner = path.relative_to(SOURCE)
            if path.is_file() and inner not in NOT_SHIPPED and "__pycache__" not in inner.parts:
                yield inner


class BuildWithBuildroot(build_py):
    """An editable installation reads the files of the checkout."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for inner in shipped():
                target = Path(self.build_lib) / TARGET / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / inner, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        added = [] if self.editable_mode else [os.path.join(self.build_lib, TARGET, inner) for inner in shipped()]
        return [*super().get_outputs(include_bytecode), *added]


setup(cmdclass={"build_py": BuildWithBuildroot})
