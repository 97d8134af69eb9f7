"""Key files and passphrases of the store: which are made, and which are refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.keys.key_file import KeyFile, SystemdCredential, parse_keys
from gprov.adapters.linux.keys.passphrase import Passphrase
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.unit.credentials import Secret

LINE = f"gprov-key-1 {'ab' * 32}"


def test_a_key_is_made_once_private_whatever_the_umask_and_announced(tmp_path: Path) -> None:
    path, said = tmp_path / "etc" / "gprov" / "server.key", list[str]()
    keys = KeyFile(str(path), str(tmp_path / "data"), said.append)
    before = os.umask(0)
    try:
        made = keys.fresh()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    content = path.read_bytes()
    assert KeyFile(str(path)).fresh().key_id == made.key_id
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == ["server.key"]
    (sentence,) = said
    assert sentence.startswith(f"{path}: made the key")
    assert "Keep a copy" in sentence


def test_another_key_comes_first_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keys = KeyFile(str(path))
    first = keys.fresh()
    path.write_text(path.read_text() + "# copy: safe in room 7\n")
    before = path.read_text()
    second = keys.add()
    assert keys.fresh().key_id == second.key_id != first.key_id
    assert keys.existing(first.key_id).open(first.seal(b"x", b""), b"") == b"x"
    assert path.read_text().endswith(before)
    assert f"# {second.key_id}\n" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["key"]
    path.write_text("\n".join(path.read_text().splitlines()[:2]))  # a person removes the old key
    with pytest.raises(DeviceMissing, match=f"holds the key {second.key_id}, not {first.key_id}"):
        keys.existing(first.key_id)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o644])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    keys = KeyFile(str(tmp_path / "key"))
    key_id = keys.fresh().key_id
    (tmp_path / "key").chmod(mode)
    for use in (keys.fresh, lambda: keys.existing(key_id)):
        with pytest.raises(BadInput, match=f"mode {mode:04o}: chmod 600"):
            use()


def test_a_key_in_the_data_folder_is_refused_also_behind_links(tmp_path: Path) -> None:
    data, beside = tmp_path / "data", tmp_path / "data.key"
    data.mkdir()
    (tmp_path / "link").symlink_to(data)
    for inside in (data / "key", data / "store" / "key", tmp_path / "link" / "key", data / ".." / "data" / "key"):
        with pytest.raises(BadInput, match="a copy of that folder would hold"):
            KeyFile(str(inside), str(data)).fresh()
    KeyFile(str(beside), str(data)).fresh()
    (tmp_path / "to").symlink_to(beside)
    KeyFile(str(tmp_path / "to"), str(data)).fresh()
    assert os.listdir(data) == []


def test_what_is_no_key_file_is_refused_and_nothing_of_it_quoted(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"# comment\n{LINE}\n\n{LINE}0\nsecret\n")
    path.chmod(0o600)
    with pytest.raises(BadInput) as caught:
        KeyFile(str(path)).fresh()
    assert [problem.place for problem in caught.value.problems] == ["line 4", "line 5"]
    assert "secret" not in "".join([str(caught.value), *caught.value.details()])
    path.write_text("# nothing\n")
    with pytest.raises(BadInput, match="holds no key"):
        KeyFile(str(path)).fresh()
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(BadInput, match="not a regular file"):
        KeyFile(str(path)).fresh()
    path.unlink()
    path.mkdir()
    with pytest.raises(DeviceFault, match="cannot be read"):
        KeyFile(str(path)).fresh()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceFault, match="cannot be"):
        KeyFile(str(tmp_path / "file" / "key")).fresh()


def test_no_credential_is_made(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="no such credential"):
        SystemdCredential(str(tmp_path / "key")).fresh()


@given(st.binary(max_size=300))
def test_any_bytes_are_keys_or_bad_input(content: bytes) -> None:
    try:
        keys = parse_keys("key", content)
    except BadInput:
        return
    assert keys
    assert all(len(key) == 32 for key in keys)


def test_a_passphrase_is_asked_for_once(tmp_path: Path) -> None:
    asked: list[bool] = []

    def ask(new: bool) -> Secret:
        asked.append(new)
        return Secret("correct horse battery")

    provider = Passphrase(ask, log2_cost=10)
    made = provider.fresh()
    provider.existing(made.key_id)
    assert asked == [True]
    other = Passphrase(ask, log2_cost=10)
    assert other.existing(made.key_id).open(made.seal(b"x", b""), b"") == b"x"
    assert asked == [True, False]
    assert other.fresh().key_id != made.key_id  # another salt


def test_wrong_and_short_passphrases() -> None:
    made = Passphrase(lambda _: Secret("correct horse battery"), log2_cost=10).fresh()
    with pytest.raises(DeviceMissing, match="is not the one of the key scrypt-10-"):
        Passphrase(lambda _: Secret("correct horse batterx")).existing(made.key_id)
    with pytest.raises(BadInput, match="at least 12 characters"):
        Passphrase(lambda _: Secret("short")).fresh()
