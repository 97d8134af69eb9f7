"""Databases of the tests of the factory server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integ.server.postgresql import Cluster, running_cluster


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """One for all tests. It does not flush to the disk, which no test of a process that is killed needs."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """As in the server's settings: of a new store, for a test that both databases must pass."""
    if request.param == "sqlite":
        return ""
    cluster = request.getfixturevalue("postgresql")
    assert isinstance(cluster, Cluster)
    return cluster.new_database()
