"""Versions of gprov as versions of Debian packages; tests/integ/distribution compares their order with dpkg's."""

from __future__ import annotations

import pytest

from gprov import __version__
from gprov.domain.errors import BadInput
from gprov.domain.formats.debian_version import debian_version


@pytest.mark.parametrize(
    ("version", "debian"),
    [("0.1.0", "0.1.0"), ("0.1.0.dev0", "0.1.0~dev0"), ("10.20.30.dev12", "10.20.30~dev12")],
)
def test_versions(version: str, debian: str) -> None:
    assert debian_version(version) == debian


@pytest.mark.parametrize(
    "version", ["", "1", "1.0", "1.0.0.0", "1.0.0rc1", "1.0.0.post1", "1.0.0.dev", "1.0.0-1", "1.0.0\n", "\uff11.0.0"]
)
def test_others_are_refused(version: str) -> None:
    with pytest.raises(BadInput, match=r"must be N\.N\.N"):
        debian_version(version)


def test_that_of_gprov_has_one() -> None:
    assert debian_version(__version__)
