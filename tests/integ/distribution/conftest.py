"""What gprov is distributed as, built once in each test process from the files that git tracks."""

from __future__ import annotations

from pathlib import Path

import pytest

from distribution.packages import build_packages
from distribution.sources import ROOT, build_source_archive, build_wheel, source_date, unpack
from distribution.wheels import wheel_folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_source_archive(ROOT, tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = unpack(archive, tmp_path_factory.mktemp("unpacked"))
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"), source_date(ROOT))


@pytest.fixture(scope="session")
def now() -> int:
    """Date of the packages, in seconds of Unix time. A commit during the tests does not change it."""
    return source_date(ROOT)


@pytest.fixture(scope="session")
def packages(archive: Path, now: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Paths of the Debian packages by their names. Takes minutes, most of them for compressing."""
    work, output = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("packages")
    built = build_packages(archive, work, output, wheel_folder(), now)
    return {path.name.partition("_")[0]: path for path in built}
