"""Mistakes with ``gprov keys``: each is refused with what is wrong, and no file of the owner is lost by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.adapters.linux.keys.minisign_key import new_key
from gprov.apps.host.trust.key_pair import write_pair
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.minisign import parse_public_key
from tests.unit.trust.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Roots a, b, c; signers s, t; ``chain`` with the statements 1 and 2, of which 2 adds the signer t."""
    made = Desk(tmp_path)
    for name in "abcst":
        made.key(name)
    made.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    made.done("keys", "join", "@1", *made.signed("1", "a", "b"), "--output", "@chain")
    made.done("keys", "add-signer", "--chain", "@chain", "--signer", "@t.pub", "--output", "@2")
    made.done("keys", "join", "@2", *made.signed("2", "a", "b"), "--chain", "@chain", "--output", "@chain")
    return made


def key_id(desk: Desk, name: str) -> str:
    return parse_public_key(name, desk.path(f"{name}.pub").read_bytes()).key_id


def test_a_key_pair_is_written_whole_or_not_at_all(desk: Desk) -> None:
    """The public key cannot be written, as on a full disk: its folder is missing."""
    with pytest.raises(DeviceFault):
        write_pair(new_key(), str(desk.path("n.key")), str(desk.path("no/n.pub")), None)
    assert not desk.path("n.key").exists()
    write_pair(new_key(), str(desk.path("n.key")), str(desk.path("n.pub")), None)
    assert desk.run("keys", "show", "@n.pub") == 0


def test_a_chain_is_not_replaced_by_one_that_does_not_continue_it(desk: Desk) -> None:
    """--chain was forgotten, or names an old copy."""
    before = desk.path("chain").read_bytes()
    signatures = desk.signed("2", "a", "b")
    assert desk.run("keys", "join", "@2", *signatures, "--output", "@chain") == 1
    assert "is not replaced (was --chain left out?)" in desk.said
    assert desk.path("chain").read_bytes() == before
    desk.done("keys", "join", "@2", *signatures, "--output", "@other")


@pytest.mark.parametrize("name", ["a.key", "s.pub", "chain"])
def test_a_statement_replaces_no_other_file(desk: Desk, name: str) -> None:
    before = desk.path(name).read_bytes()
    assert desk.run("keys", "add-signer", "--chain", "@chain", "--signer", "@c.pub", "--output", f"@{name}") == 1
    assert "is no trust statement, and is not replaced" in desk.said
    assert desk.path(name).read_bytes() == before


@pytest.mark.parametrize("name", ["a.key", "s.pub", "2"])
def test_a_chain_replaces_no_other_file(desk: Desk, name: str) -> None:
    before = desk.path(name).read_bytes()
    assert desk.run("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", f"@{name}") == 1
    assert desk.path(name).read_bytes() == before


def test_a_statement_is_joined_once(desk: Desk) -> None:
    words = ("keys", "join", "@2", *desk.signed("2", "a", "b"), "--chain", "@chain", "--output", "@chain")
    assert desk.run(*words) == 1
    assert "must have version 3, which follows the one before, has 2" in desk.said


def test_a_signer_signs_no_statement(desk: Desk) -> None:
    assert desk.run("keys", "sign", "@2", "--key", "@s.key") == 1
    assert "is a signer of this statement: only roots sign it" in desk.said
    assert not list(desk.folder.glob(f"2.{key_id(desk, 's')}.minisig"))


def test_a_key_that_the_statement_does_not_name_may_be_a_former_root(desk: Desk) -> None:
    desk.done("keys", "sign", "@2", "--key", "@c.key")
    assert "its signature counts only if it is a root of the statement before" in desk.said
    desk.done("keys", "sign", "@2", "--key", "@a.key")
    assert "counts only" not in desk.said
    desk.done("keys", "replace-root", key_id(desk, "b"), "--new", "@c.pub", "--chain", "@chain", "--output", "@3")
    desk.done("keys", "join", "@3", *desk.signed("3", "a", "b", "c"), "--chain", "@chain", "--output", "@chain")


def test_the_signature_of_another_key_is_named(desk: Desk) -> None:
    words = ("keys", "join", "@1", *desk.signed("1", "a", "b", "c"), "--output", "@new")
    assert desk.run(*words) == 1
    assert f"is of the key {key_id(desk, 'c')}, which is none of the roots that sign this statement" in desk.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "@a.key"), "a.key: is a secret key: give the public one (NAME.pub)"),
        (("sign", "@1", "--key", "@a.pub"), "a.pub: is a public key: give the secret one (NAME.key)"),
        (("sign", "@chain", "--key", "@a.key"), "chain: is no trust statement, but a trust chain"),
        (("check", "@1"), "1: is no trust chain, but a statement: gprov keys join makes a chain of it"),
        (
            ("new-chain", "--root", "@a.pub", "--root", "@b.key", "--signer", "@s.pub", "--output", "@x"),
            "b.key: is a secret key",
        ),
    ],
)
def test_files_that_were_mixed_up(desk: Desk, words: tuple[str, ...], said: str) -> None:
    assert desk.run("keys", *words) == 1
    assert said in desk.said


@pytest.mark.parametrize(("name", "role"), [("s", "signer"), ("a", "root")])
def test_a_key_that_is_named_already(desk: Desk, name: str, role: str) -> None:
    words = ("keys", "add-signer", "--chain", "@chain", "--signer", f"@{name}.pub", "--output", "@x")
    assert desk.run(*words) == 1
    assert f"names the key {key_id(desk, name)} already, as a {role}" in desk.said
    replace = (
        "keys",
        "replace-root",
        key_id(desk, "b"),
        "--new",
        f"@{name}.pub",
        "--chain",
        "@chain",
        "--output",
        "@x",
    )
    assert desk.run(*replace) == 1
    assert f"names the key {key_id(desk, name)} already, as a {role}" in desk.said
    assert not desk.path("x").exists()


def test_one_signer_that_is_given_twice(desk: Desk) -> None:
    twice = ("--signer", "@c.pub", "--signer", "@c.pub")
    assert desk.run("keys", "add-signer", "--chain", "@chain", *twice, "--output", "@x") == 1
    assert "already, as a signer" in desk.said


def test_a_revoked_key_is_not_added_again(desk: Desk) -> None:
    revoked = key_id(desk, "s")
    desk.done("keys", "revoke", revoked, "--chain", "@chain", "--output", "@3")
    desk.done("keys", "join", "@3", *desk.signed("3", "a", "b"), "--chain", "@chain", "--output", "@chain")
    assert desk.run("keys", "add-signer", "--chain", "@chain", "--signer", "@s.pub", "--output", "@x") == 1
    assert f"names the key {revoked} already, as a revoked signer: make a new key" in desk.said


def test_a_stolen_signer_is_replaced_by_one_statement(desk: Desk) -> None:
    words = ("keys", "revoke", key_id(desk, "s"), "--chain", "@chain", "--output", "@3", "--signer", "@c.pub")
    made = desk.json(*words)["statement"]
    assert made["version"] == 3
    assert made["signers"] == [key_id(desk, "t"), key_id(desk, "c")]
    assert made["revoked"] == [{"key": key_id(desk, "s"), "keep": []}]


def test_a_statement_without_signers_is_remarked(desk: Desk) -> None:
    desk.done("keys", "revoke", key_id(desk, "s"), "--chain", "@chain", "--output", "@3")
    assert "no signer is left" not in desk.said
    desk.done("keys", "join", "@3", *desk.signed("3", "a", "b"), "--chain", "@chain", "--output", "@chain")
    desk.done("keys", "revoke", key_id(desk, "t"), "--chain", "@chain", "--output", "@4")
    assert "no signer is left in this statement: --signer adds one" in desk.said


def test_only_what_the_revoked_key_signed_is_kept(desk: Desk) -> None:
    """An image that was signed anew has another manifest than units in the field have."""
    image = desk.signed_image("2024-01-01.1", "t")
    words = ("keys", "revoke", key_id(desk, "s"), "--chain", "@chain", "--output", "@x")
    assert desk.run(*words, "--keep", f"@{image}.manifest") == 1
    assert f"is of the key {key_id(desk, 't')}, not of {key_id(desk, 's')}: only what the revoked key" in desk.said
    desk.done("image", "sign", f"@{image}", "--key", "@s.key")
    desk.done(*words, "--keep", f"@{image}.manifest")
    desk.path(f"{image}.manifest").write_bytes(desk.path(f"{image}.manifest").read_bytes() + b"\n")
    assert desk.run(*words, "--keep", f"@{image}.manifest") == 1
    desk.path(f"{image}.manifest.minisig").unlink()
    assert desk.run(*words, "--keep", f"@{image}.manifest") == 3


def test_an_image_in_the_place_of_its_manifest(desk: Desk) -> None:
    large = desk.path("large")
    large.write_bytes(bytes(5 << 20))
    words = ("keys", "revoke", key_id(desk, "s"), "--chain", "@chain", "--output", "@x", "--keep", "@large")
    assert desk.run(*words) == 1
    assert "large: has more than 4194304 bytes" in desk.said
