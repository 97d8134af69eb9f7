"""``gprov keys``: the keys of an owner of units, and the trust chain that tells units about them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli import keys_changes
from gprov.apps.host.cli.keys_text import statement_document, statement_lines
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.signing import PassphraseFdOption, SecretKeyOption, chain_in, passphrase, signer_in
from gprov.domain.errors import BadInput, DeviceFault, ExitCode, Problem

if TYPE_CHECKING:
    from gprov.domain.trust.chain import TrustChain

app = new_app("Keys of an owner of units, and the trust chain. docs/how-to/signing.md is the guide.")
keys_changes.attach(app)

StatementFile = Annotated[str, typer.Argument(metavar="STATEMENT", help="file with a trust statement")]
_SECRET, _PUBLIC = ".key", ".pub"


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="makes NAME.key (secret) and NAME.pub")],
    no_passphrase: Annotated[bool, typer.Option("--no-passphrase", help="the secret key is not encrypted")] = False,
    passphrase_fd: PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Make a key pair in minisign's format. No file is replaced."""
    from gprov.adapters.linux.keys.minisign_key import new_key
    from gprov.apps.host.trust.key_pair import write_pair

    if no_passphrase and passphrase_fd is not None:
        raise typer.BadParameter("give one of the two", param_hint="'--no-passphrase' / '--passphrase-fd'")
    paths = [name + _SECRET, name + _PUBLIC]
    for path in paths:
        if os.path.lexists(path):
            raise DeviceFault(path, "exists: no key is replaced")
    secret = None if no_passphrase else passphrase(f"Passphrase of {paths[0]}", passphrase_fd, new=True)
    key = new_key()
    write_pair(key, paths[0], paths[1], secret)
    if as_json:
        document({"key": key.public.key_id, "paths": paths})
    else:
        say(f"{key.public.key_id}: {paths[0]} (secret), {paths[1]}")
    return ExitCode.DONE


@app.command("show")
def show(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="public keys and signatures")],
    as_json: Json = False,
) -> int:
    """The ids of keys, and of the keys that made signatures (which are not checked)."""
    rows = [_shown(path) for path in files]
    if as_json:
        document(rows)
    else:
        for row in rows:
            comment = f", says {row['trusted_comment']!r}" if row["kind"] == "signature" else f", {row['public']}"
            say(f"{row['key']} {row['path']}: {row['kind']}{comment}")
    return ExitCode.DONE


def _shown(path: str) -> dict[str, object]:
    from gprov.apps.host.trust.files import read_limited, read_public_key
    from gprov.domain.formats.minisign import MAX_FILE, TRUSTED_COMMENT, parse_signature

    content = read_limited(path, MAX_FILE)
    if b"\n" + TRUSTED_COMMENT.encode() in content:
        signature = parse_signature(path, content)
        facts = {"kind": "signature", "key": signature.key_id, "public": None}
        return {"path": path, **facts, "trusted_comment": signature.trusted_comment}
    key = read_public_key(path)
    return {"path": path, "kind": "public key", "key": key.key_id, "public": key.text, "trusted_comment": None}


@app.command("sign")
def sign(
    statement: StatementFile, key: SecretKeyOption, passphrase_fd: PassphraseFdOption = None, as_json: Json = False
) -> int:
    """Sign a trust statement with a root, on the machine where its key is. Makes STATEMENT.KEYID.minisig."""
    from gprov.apps.host.trust.files import read_limited, write_public
    from gprov.domain.formats.minisign import serialise_signature
    from gprov.domain.trust.statement import MAX_STATEMENT, parse_statement, role_of

    content = read_limited(statement, MAX_STATEMENT)
    parsed = parse_statement(statement, content)
    for line in statement_lines(parsed):
        say(line, err=as_json)
    signer = signer_in(key, passphrase_fd)
    role = role_of(parsed, signer.public)
    if role != "root" and role:
        raise BadInput(key, [Problem("", f"is a {role} of this statement: only roots sign it")])
    if not role:
        note = "is no root of this statement: its signature counts only if it is a root of the statement before"
        say(f"gprov keys sign: {key}: {note}", err=True)
    signature = signer.sign(content, f"trust statement version {parsed.version}")
    path = f"{statement}.{signer.public.key_id}.minisig"
    write_public(path, serialise_signature(signature))
    if as_json:
        document({"key": signer.public.key_id, "path": path})
    else:
        say(path)
    return ExitCode.DONE


@app.command("join")
def join(
    statement: StatementFile,
    signatures: Annotated[list[str], typer.Argument(metavar="SIGNATURE", help="all signatures of the statement")],
    output: Annotated[str, typer.Option("--output", metavar="FILE", help="the longer chain; may be the old one")],
    chain: Annotated[
        str | None, typer.Option("--chain", metavar="FILE", help="chain that the statement continues")
    ] = None,
    as_json: Json = False,
) -> int:
    """Add a statement with its signatures to the trust chain. Without --chain it begins a new one."""
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
    from gprov.apps.host.trust.files import read_limited, read_signature, write_chain
    from gprov.domain.trust.chain import check_chain, missing_signatures
    from gprov.domain.trust.changes import joined
    from gprov.domain.trust.statement import MAX_STATEMENT

    before = None if chain is None else chain_in(chain)
    given = [read_signature(path) for path in signatures]
    longer = joined(before, statement, read_limited(statement, MAX_STATEMENT), given)
    missing = missing_signatures(longer.statements[-1], before.current if before is not None else None)
    if missing:
        lacking = [Problem("", f"is not signed by the root {key.key_id}") for key in missing]
        raise BadInput(statement, lacking)
    checked = check_chain(statement, longer, LibcryptoVerifier())
    write_chain(output, checked)
    _print_chain(output, checked, as_json=as_json)
    return ExitCode.DONE


@app.command("check")
def check(
    chain: Annotated[str, typer.Argument(metavar="CHAIN", help="a trust chain")],
    extends: Annotated[
        str | None,
        typer.Option("--extends", metavar="FILE", help="chain that units were built with: refuse one that differs"),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check all signatures of a trust chain and print its newest statement. Exit status 1 if it is not valid."""
    found = chain_in(chain)
    if extends is not None and not found.continues(chain_in(extends)):
        raise BadInput(chain, [Problem("", f"does not continue {extends}")])
    _print_chain(chain, found, as_json=as_json)
    return ExitCode.DONE


def _print_chain(path: str, chain: TrustChain, *, as_json: bool) -> None:
    if as_json:
        statements = [statement_document(one.statement) for one in chain.statements]
        document({"path": path, "version": chain.version, "statements": statements})
        return
    first = chain.statements[0].statement.version
    say(f"{path}: valid, versions {first} to {chain.version}")
    for line in statement_lines(chain.current):
        say(line)
