"""[store] of server.toml."""

from __future__ import annotations

import pytest

from gprov.domain.errors import BadInput
from gprov.domain.factory.server_settings import parse_settings
from gprov.domain.factory.settings.store import StoreSettings


def parsed(url: str) -> StoreSettings:
    return parse_settings("server.toml", f'[store]\ndatabase = "{url}"'.encode()).store


@pytest.mark.parametrize(
    "url",
    ["postgresql://me@db.example/factory", "postgresql:///factory?host=/run/postgresql", "postgresql://?service=x"],
)
def test_postgresql(url: str) -> None:
    assert (parsed(url).database, parsed(url).has_password) == (url, False)


def test_a_password_is_noticed_and_not_shown() -> None:
    settings = parsed("postgresql://me:s3cret@db.example/factory")
    assert settings.has_password
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://me:s3cret@db/factory", "must begin with postgresql://"),
        ("postgresql:factory?host=s3cret", "must begin with postgresql://"),
        ("postgresql://me@[s3cret/factory", "is no URL"),
        ("postgresql://me@db:s3cret/factory", "is no URL"),
        ("postgresql://db/factory?user=me&password=s3cret", "must not have a password in its query"),
        ("postgresql://db/factory?sslpassword=s3cret", "must not have a password in its query"),
    ],
)
def test_what_is_refused_is_not_quoted(url: str, problem: str) -> None:
    with pytest.raises(BadInput, match=r"\$\.store\.database") as caught:
        parsed(url)
    assert problem in str(caught.value)
    assert "s3cret" not in str(caught.value.details())
