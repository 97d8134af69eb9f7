"""What gprov is distributed as, built once in each test process from the files that git tracks."""

from __future__ import annotations

from pathlib import Path

import pytest

from distribution.sources import ROOT, build_source_archive, build_wheel, source_date, unpack


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_source_archive(ROOT, tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = unpack(archive, tmp_path_factory.mktemp("unpacked"))
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"), source_date(ROOT))
