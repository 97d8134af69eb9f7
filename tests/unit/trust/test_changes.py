"""Statements that follow others, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gprov.domain.errors import BadInput
from gprov.domain.formats.minisign import PublicKey
from gprov.domain.trust.chain import MAX_CHAIN, TrustChain
from gprov.domain.trust.changes import add_signers, joined, replace_root, revocable, revoke
from gprov.domain.trust.statement import Revoked, Statement, serialise_statement
from tests.unit.trust.owner import FIRST, ROOT_A, ROOT_B, ROOT_C, SECOND_SIGNER, SIGNER, STRANGER, OwnerKey, signed

A, B, C = (key.public for key in (ROOT_A, ROOT_B, ROOT_C))
ONE, TWO, OTHER, LAST = (key.public for key in (SIGNER, SECOND_SIGNER, STRANGER, OwnerKey("last")))
STATED = replace(FIRST, version=5, signers=(ONE, TWO), revoked=(Revoked(OTHER, ("0" * 64,)), Revoked(LAST)))
X, Y = "a" * 64, "b" * 64


def problem(caught: pytest.ExceptionInfo[BadInput]) -> str:
    [one] = caught.value.problems
    return str(one)


def test_signers_are_added_behind_the_others() -> None:
    new = [OwnerKey("new 1").public, OwnerKey("new 2").public]
    assert add_signers(STATED, new) == replace(STATED, version=6, signers=(ONE, TWO, *new))
    assert add_signers(STATED, []) == replace(STATED, version=6)


@pytest.mark.parametrize(("key", "role"), [(A, "root"), (ONE, "signer"), (LAST, "revoked signer")])
def test_a_key_has_one_role(key: PublicKey, role: str) -> None:
    advice = "" if role == "signer" else ": make a new key"
    changes: tuple[Callable[[], Statement], ...] = (
        lambda: add_signers(STATED, [key]),
        lambda: revoke(STATED, TWO.key_id, (), [key]),
        lambda: replace_root(STATED, B.key_id, key),
    )
    for change in changes:
        with pytest.raises(BadInput) as caught:
            change()
        assert problem(caught) == f"names the key {key.key_id} already, as a {role}{advice}"


def test_a_new_key_is_named_once() -> None:
    new = OwnerKey("new").public
    with pytest.raises(BadInput, match="already, as a signer"):
        add_signers(STATED, [new, new])


def test_a_signer_is_revoked_and_others_stay() -> None:
    assert revoke(STATED, ONE.key_id, [X, Y, X]) == replace(
        STATED, version=6, signers=(TWO,), revoked=(*STATED.revoked, Revoked(ONE, (X, Y)))
    )


def test_another_key_takes_the_place_of_a_revoked_one() -> None:
    new = OwnerKey("new").public
    assert revoke(STATED, TWO.key_id, (), [new]) == replace(
        STATED, version=6, signers=(ONE, new), revoked=(*STATED.revoked, Revoked(TWO))
    )


def test_more_of_a_revoked_key_is_kept_and_nothing_else_changes() -> None:
    first, last = STATED.revoked
    kept = ("0" * 64, X)
    assert revoke(STATED, OTHER.key_id, [X, "0" * 64]) == replace(
        STATED, version=6, revoked=(Revoked(OTHER, kept), last)
    )
    assert revoke(STATED, LAST.key_id, [Y]) == replace(STATED, version=6, revoked=(first, Revoked(LAST, (Y,))))


def test_which_keys_can_be_revoked() -> None:
    assert [revocable(STATED, key.key_id) for key in (ONE, TWO, OTHER, LAST)] == [ONE, TWO, OTHER, LAST]
    wrong: tuple[Callable[[], object], ...] = (
        lambda: revocable(STATED, A.key_id),
        lambda: revoke(STATED, A.key_id, ()),
    )
    for change in wrong:
        with pytest.raises(BadInput, match=f"has no signer {A.key_id}; its signers: {ONE.key_id}, {TWO.key_id}"):
            change()
    with pytest.raises(BadInput, match="its signers: none"):
        revoke(replace(FIRST, signers=()), ONE.key_id, ())


def test_a_root_is_replaced_in_its_place() -> None:
    assert replace_root(STATED, A.key_id, C) == replace(STATED, version=6, roots=(C, B))
    assert replace_root(STATED, B.key_id, C) == replace(STATED, version=6, roots=(A, C))
    with pytest.raises(BadInput, match=f"has no root {ONE.key_id}; its roots: {A.key_id}, {B.key_id}"):
        replace_root(STATED, ONE.key_id, C)


def test_a_statement_is_joined_behind_the_others() -> None:
    first = signed(FIRST, ROOT_A, ROOT_B)
    begun = joined(None, "s", first.content, first.signatures)
    assert begun.statements == (first,)
    later = signed(replace(FIRST, version=2), ROOT_A)
    longer = joined(TrustChain((first,)), "s", later.content, list(later.signatures))
    assert longer.statements == (first, later)


def test_a_chain_that_is_too_long_is_not_made() -> None:
    large = Statement(1, (A, B), (), (Revoked(ONE, tuple(f"{number:064x}" for number in range(3000))),))
    content = serialise_statement(large)
    one = joined(None, "s", content, ()).statements[0]
    with pytest.raises(BadInput) as caught:
        joined(TrustChain((one,) * 4), "s", content, ())
    assert problem(caught).startswith("makes the chain ")
    assert problem(caught).endswith(f" bytes long, more than {MAX_CHAIN}")
