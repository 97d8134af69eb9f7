"""``gprov keys``: statements that begin or continue a trust chain. They count once the roots have signed them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.keys_text import statement_document, statement_lines
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.signing import chain_in
from gprov.domain.errors import BadInput, ExitCode, Problem

if TYPE_CHECKING:
    from gprov.domain.formats.minisign import PublicKey
    from gprov.domain.trust.statement import Statement

ChainOption = Annotated[str, typer.Option("--chain", metavar="FILE", help="the trust chain so far")]
OutputOption = Annotated[str, typer.Option("--output", metavar="FILE", help="the statement, to be signed")]
Signers = Annotated[
    list[str], typer.Option("--signer", metavar="FILE", help="public key that may sign images; may be repeated")
]
KeyId = Annotated[str, typer.Argument(metavar="KEYID", help="16 digits, as gprov keys check prints them")]


def attach(app: typer.Typer) -> None:
    app.command("new-chain")(new_chain)
    app.command("add-signer")(add_signer)
    app.command("revoke")(revoke)
    app.command("replace-root")(replace_root)


def new_chain(
    root: Annotated[list[str], typer.Option("--root", metavar="FILE", help="public key of a root; give two")],
    signer: Signers,
    output: OutputOption,
    first: Annotated[
        int,
        typer.Option(
            "--first-version",
            metavar="N",
            min=1,
            help="after a root was lost: one more than the version of the chain that units have",
        ),
    ] = 1,
    as_json: Json = False,
) -> int:
    """The first statement of a trust chain: two roots, and the keys that sign images."""
    from gprov.domain.trust.statement import ROOTS, Statement

    roots = _keys(root)
    if len(roots) != ROOTS:
        raise typer.BadParameter(f"give {ROOTS}, not {len(roots)}", param_hint="'--root'")
    return _write(Statement(first, (roots[0], roots[1]), _keys(signer)), None, output, as_json=as_json)


def add_signer(chain: ChainOption, signer: Signers, output: OutputOption, as_json: Json = False) -> int:
    """A statement with more keys that may sign images."""
    from gprov.domain.trust.changes import add_signers

    current = chain_in(chain).current
    return _write(add_signers(current, _keys(signer)), current, output, as_json=as_json)


def revoke(
    key: KeyId,
    chain: ChainOption,
    output: OutputOption,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="FILE", help="manifest of an image that stays good; may be repeated"),
    ] = None,
    signer: Annotated[
        list[str] | None,
        typer.Option("--signer", metavar="FILE", help="public key that takes its place; may be repeated"),
    ] = None,
    as_json: Json = False,
) -> int:
    """A statement that revokes a signer: units refuse what it signed, but for the manifests that are kept. For a
    revoked key, further manifests are kept."""
    from gprov.domain.trust import changes

    current = chain_in(chain).current
    revoked = changes.revocable(current, key.upper())
    kept = [_kept(path, revoked) for path in keep or ()]
    statement = changes.revoke(current, revoked.key_id, kept, _keys(signer or []))
    if not statement.signers:
        say("gprov keys revoke: no signer is left in this statement: --signer adds one", err=True)
    return _write(statement, current, output, as_json=as_json)


def replace_root(
    old: KeyId,
    chain: ChainOption,
    new: Annotated[str, typer.Option("--new", metavar="FILE", help="public key of the new root")],
    output: OutputOption,
    as_json: Json = False,
) -> int:
    """A statement in which a new root takes the place of an old one. Both old roots and the new one sign it."""
    from gprov.apps.host.trust.files import read_public_key
    from gprov.domain.trust import changes

    current = chain_in(chain).current
    statement = changes.replace_root(current, old.upper(), read_public_key(new))
    return _write(statement, current, output, as_json=as_json)


def _kept(path: str, revoked: PublicKey) -> str:
    """SHA-256 of a manifest that the revoked key signed."""
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
    from gprov.apps.host.trust.files import read_limited, read_signature
    from gprov.domain.image.manifest import MAX_MANIFEST, SIGNATURE_SUFFIX, parse_manifest
    from gprov.domain.trust.keys import signature_problem

    content = read_limited(path, MAX_MANIFEST)
    parse_manifest(path, content)
    signature = path + SIGNATURE_SUFFIX
    if problem := signature_problem(revoked, read_signature(signature), content, LibcryptoVerifier()):
        raise BadInput(signature, [Problem("", f"{problem}: only what the revoked key signed can be kept")])
    return hashlib.sha256(content).hexdigest()


def _keys(paths: list[str]) -> tuple[PublicKey, ...]:
    from gprov.apps.host.trust.files import read_public_key

    return tuple(read_public_key(path) for path in paths)


def _write(statement: Statement, before: Statement | None, path: str, *, as_json: bool) -> int:
    from gprov.apps.host.trust.files import write_statement
    from gprov.domain.trust.chain import SignedStatement, missing_signatures
    from gprov.domain.trust.statement import serialise_statement

    content = serialise_statement(statement)
    write_statement(path, content)
    missing = missing_signatures(SignedStatement(content, (), statement), before)
    if as_json:
        to_sign = [key.key_id for key in missing]
        document({"path": path, "statement": statement_document(statement), "to_sign": to_sign})
        return ExitCode.DONE
    for line in statement_lines(statement):
        say(line)
    say(f"{path}: to be signed by the roots {', '.join(key.key_id for key in missing)} (gprov keys sign)")
    return ExitCode.DONE
