"""Update servers, connections that break, and signed images for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integ.update.goosebit import GooseBit, running_goosebit
from tests.integ.update.owner import Owner
from tests.integ.update.stand_in import StandIn, running_stand_in


@pytest.fixture(scope="session")
def goosebit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GooseBit]:
    """Shared: each test uses other names of devices, other feeds, and images of other dates."""
    with running_goosebit(tmp_path_factory.mktemp("goosebit")) as server:
        yield server


@pytest.fixture
def own_goosebit(tmp_path: Path) -> Iterator[GooseBit]:
    """For a test that kills it."""
    with running_goosebit(tmp_path / "goosebit") as server:
        yield server


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running_stand_in() as server:
        yield server


@pytest.fixture(scope="session")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Owner:
    """Of keys, a trust chain and signed images."""
    return Owner(tmp_path_factory.mktemp("owner"))
