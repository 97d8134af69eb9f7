"""Statements that follow others: what an owner of units does with keys. Each is to be signed by the roots
(``chain.missing_signatures``) and joined to the chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.minisign import PublicKey, Signature
from gprov.domain.trust.chain import MAX_CHAIN, SignedStatement, TrustChain, UncheckedChain, serialise_chain
from gprov.domain.trust.statement import Revoked, Statement, parse_statement, role_of


def add_signers(current: Statement, keys: Iterable[PublicKey]) -> Statement:
    """Raises BadInput for a key that the statement names already."""
    return _next(replace(current, signers=_with_new(current, keys)))


def revocable(current: Statement, key_id: str) -> PublicKey:
    """The signer of this id, also one that was revoked already. Raises BadInput if there is none."""
    return _named((*current.signers, *(one.key for one in current.revoked)), key_id, "signer")


def revoke(current: Statement, key_id: str, keep: Iterable[str], new: Iterable[PublicKey] = ()) -> Statement:
    """``keep``: SHA-256 of manifests of this key that stay good. For a key that was revoked already, they are added to
    what is kept. ``new``: signers that take its place. Raises BadInput for a key that is no signer, and as
    ``add_signers``."""
    kept = tuple(keep)
    current = replace(current, signers=_with_new(current, new))
    earlier = {one.key.key_id: one for one in current.revoked}
    if key_id in earlier:
        one = earlier[key_id]
        more = tuple(dict.fromkeys((*one.keep, *kept)))
        changed = tuple(Revoked(one.key, more) if other is one else other for other in current.revoked)
        return _next(replace(current, revoked=changed))
    key = _named(current.signers, key_id, "signer")
    signers = tuple(one for one in current.signers if one != key)
    return _next(
        replace(current, signers=signers, revoked=(*current.revoked, Revoked(key, tuple(dict.fromkeys(kept)))))
    )


def replace_root(current: Statement, old_id: str, new: PublicKey) -> Statement:
    """Raises BadInput for an old key that is no root, and a new one that the statement names already."""
    old = _named(current.roots, old_id, "root")
    _require_new(current, new)
    first, second = (new if one == old else one for one in current.roots)
    return _next(replace(current, roots=(first, second)))


def joined(chain: TrustChain | None, source: str, content: bytes, signatures: Sequence[Signature]) -> UncheckedChain:
    """The chain with one statement more; to be checked. Raises BadInput."""
    statement = parse_statement(source, content)
    before = chain.statements if chain is not None else ()
    longer = UncheckedChain((*before, SignedStatement(content, tuple(signatures), statement)))
    size = len(serialise_chain(longer))
    if size > MAX_CHAIN:
        raise BadInput(source, [Problem("", f"makes the chain {size} bytes long, more than {MAX_CHAIN}")])
    return longer


def _next(statement: Statement) -> Statement:
    return replace(statement, version=statement.version + 1)


def _with_new(current: Statement, keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    signers = list(current.signers)
    for key in keys:
        _require_new(replace(current, signers=tuple(signers)), key)
        signers.append(key)
    return tuple(signers)


def _require_new(current: Statement, key: PublicKey) -> None:
    """Signatures name their key by its id, so an id has one role."""
    role = role_of(current, key)
    if role:
        reason = f"names the key {key.key_id} already, as a {role}"
        advice = ": make a new key" if role != "signer" else ""
        raise BadInput("trust chain", [Problem("", reason + advice)])


def _named(keys: Sequence[PublicKey], key_id: str, what: str) -> PublicKey:
    for key in keys:
        if key.key_id == key_id:
            return key
    known = ", ".join(key.key_id for key in keys) or "none"
    raise BadInput("trust chain", [Problem("", f"has no {what} {key_id}; its {what}s: {known}")])
