"""Boxes and their keys: key file, credential of systemd, passphrase, and the fake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.adapters.linux.keys.key_file import KeyFile, SystemdCredential
from gprov.adapters.linux.keys.passphrase import Passphrase
from gprov.domain.errors import DeviceMissing, IntegrityFault
from gprov.domain.unit.credentials import Secret
from gprov.ports.secretbox import KeyProvider, SecretBox

# Each call gives a provider with another key.
Make = Callable[[], KeyProvider]
NAMES = ("fake", "file", "credential", "passphrase")


@pytest.fixture(params=NAMES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    made: list[KeyProvider] = []

    def key_file() -> KeyFile:
        return KeyFile(str(tmp_path / f"{len(made)}" / "key"))

    def credential() -> KeyProvider:
        file = key_file()
        file.fresh()
        Path(file.path).chmod(0o440)
        return SystemdCredential(file.path)

    def passphrase() -> Passphrase:
        text = Secret(f"a long passphrase {len(made)}")
        return Passphrase(lambda _: text, log2_cost=10)

    kinds: dict[str, Make] = {
        "fake": lambda: FakeKeys(f"fake-{len(made)}"),
        "file": key_file,
        "credential": credential,
        "passphrase": passphrase,
    }

    def another() -> KeyProvider:
        made.append(kinds[request.param]())
        return made[-1]

    return another


@pytest.fixture
def box(make: Make) -> SecretBox:
    return make().fresh()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100), st.binary(max_size=50))
def test_what_is_sealed_opens_in_its_context(box: SecretBox, plain: bytes, context: bytes) -> None:
    sealed = box.seal(plain, context)
    assert box.open(sealed, context) == plain
    assert box.seal(plain, context) != sealed
    assert len(plain) < 8 or plain not in sealed
    assert len(context) < 8 or context not in sealed


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=30), st.data())
def test_anything_that_was_changed_is_refused(box: SecretBox, plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(box.seal(plain, b"context"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(sealed), bytes(sealed[:place]), b""):
        with pytest.raises(IntegrityFault):
            box.open(wrong, b"context")


def test_another_context_or_key_does_not_open_it_and_errors_hold_nothing(make: Make) -> None:
    box, other = make().fresh(), make().fresh()
    sealed = box.seal(b"hunter2 hunter2", b"unit 1 os")
    assert box.key_id != other.key_id
    for wrong, context in ((box, b"unit 2 os"), (box, b""), (other, b"unit 1 os")):
        with pytest.raises(IntegrityFault) as caught:
            wrong.open(sealed, context)
        assert "hunter" not in "".join([str(caught.value), *caught.value.details()])
        assert caught.value.__cause__ is None


def test_a_fresh_key_is_kept_and_found_by_its_id(make: Make) -> None:
    provider = make()
    first = provider.fresh()
    assert provider.fresh().key_id == first.key_id
    assert 0 < len(first.key_id) <= 200
    assert first.key_id.isascii()
    assert first.key_id.isprintable()
    again = provider.existing(first.key_id)
    assert again.key_id == first.key_id
    assert again.open(first.seal(b"plain", b"x"), b"x") == b"plain"


def test_a_key_that_is_not_there_is_missing(make: Make) -> None:
    provider, other = make(), make()
    provider.fresh()
    for key_id in (other.fresh().key_id, "unheard-of", ""):
        with pytest.raises(DeviceMissing):
            provider.existing(key_id)
