"""Targets: signatures and keys of minisign, manifests, trust chains, and numbers that never go down."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import date

from fuzz import seeds
from fuzz.harness import Target, expect
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.formats.minisign import (
    COMMENT,
    TRUSTED_COMMENT,
    PublicKey,
    parse_public_key,
    parse_signature,
    serialise_public_key,
    serialise_signature,
)
from gprov.domain.formats.minisign_secret import parse_secret_key, scrypt_cost, serialise_secret_key
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.manifest import Release, make_manifest, parse_manifest, serialise_manifest
from gprov.domain.image.name import ImageName
from gprov.domain.image.verify import verify_image
from gprov.domain.trust.built_in import parse_policy, parse_security_version
from gprov.domain.trust.chain import check_chain, parse_chain, serialise_chain
from gprov.domain.trust.ratchets import parse_ratchets, serialise_ratchets
from gprov.domain.trust.statement import Statement, parse_statement, serialise_statement

_SAME = "a value that changes when it is written and read"


def public_key(data: bytes) -> None:
    key = parse_public_key("k.pub", data)
    expect(parse_public_key("written", serialise_public_key(key)) == key, _SAME)


def signature(data: bytes) -> None:
    one = parse_signature("x.minisig", data)
    expect(parse_signature("written", serialise_signature(one)) == one, _SAME)


def secret_key(data: bytes) -> None:
    key = parse_secret_key("k.key", data)
    expect(parse_secret_key("written", serialise_secret_key(key)) == key, _SAME)
    if key.kdf is not None:
        cost = scrypt_cost(key.kdf)
        expect(128 * cost.block * cost.parallel << cost.log2_cost <= 1 << 30, "a key that needs more than 1 GiB")


def manifest(data: bytes) -> None:
    one = parse_manifest("x.upd.manifest", data)
    expect(parse_manifest("written", serialise_manifest(one)) == one, _SAME)
    expect("/" not in one.name.filename, "a manifest for a file in another folder")
    expect(one.release.floor <= one.release.security_version, "a manifest that refuses its own image")


def statement(data: bytes) -> None:
    one = parse_statement("s", data)
    expect(parse_statement("written", serialise_statement(one)) == one, _SAME)


def chain(data: bytes) -> None:
    one = parse_chain("trust.chain", data)
    expect(parse_chain("written", serialise_chain(one)) == one, _SAME)
    try:
        check_chain("trust.chain", one, PythonVerifier())
    except BadInput:
        return
    expect(False, "a chain that no key of ours has signed")


def ratchets(data: bytes) -> None:
    values = parse_ratchets("ratchets.json", data)
    expect(parse_ratchets("written", serialise_ratchets(values)) == values, _SAME)


def built_in(data: bytes) -> None:
    try:
        parse_policy("policy", data)
    except BadInput:
        parse_security_version("security-version", data)


_KEYS = tuple(PublicKey(bytes([number]) * 8, bytes([number + 2]) + bytes(30) + b"\1") for number in range(3))
_STATEMENT = Statement(1, (_KEYS[0], _KEYS[1]), (_KEYS[2],))
_SIGNATURE = (
    f"{COMMENT}c\n{b64encode(b'ED' + bytes(72)).decode()}\n{TRUSTED_COMMENT}t\n{b64encode(bytes(64)).decode()}\n"
).encode()
_SECRETS = tuple(
    f"{COMMENT}c\n{b64encode(b'Ed' + kdf + b'B2' + bytes(32) + limits + bytes(104)).decode()}\n".encode()
    for kdf, limits in (
        (bytes(2), bytes(16)),
        (b"Sc", (1 << 25).to_bytes(8, "little") + (1 << 30).to_bytes(8, "little")),
    )
)


def _manifest() -> bytes:
    image = verify_image("x", seeds.xz(seeds.root_tar()))
    name = ImageName(date(2024, 2, 29), 107, "0107", "WIDGET.LNX.SHINY.")
    return serialise_manifest(make_manifest(name, image, captured_names(Branding()), Release(3, 2, ("a",))))


def _chain() -> bytes:
    one = {
        "Statement": b64encode(serialise_statement(_STATEMENT)).decode(),
        "Signatures": [_SIGNATURE.decode()],
    }
    return json.dumps({"Format": 1, "Statements": [one]}).encode()


_WORDS = (b'"Format": 1', b'"Statements"', b"\\ud800", b"null", b"1e400", b"-1", b"[[", b"RWQ")
TARGETS = (
    Target("minisign-key", "public keys of minisign", public_key, lambda: [serialise_public_key(_KEYS[0])]),
    Target("minisign-signature", "signatures of minisign", signature, lambda: [_SIGNATURE]),
    Target("minisign-secret-key", "secret keys of minisign", secret_key, lambda: [*_SECRETS]),
    Target("image-manifest", "manifests of images", manifest, lambda: [_manifest()], _WORDS),
    Target("trust-statement", "trust statements", statement, lambda: [serialise_statement(_STATEMENT)], _WORDS),
    Target("trust-chain", "trust chains", chain, lambda: [_chain()], _WORDS),
    Target(
        "trust-ratchets",
        "ratchets.json",
        ratchets,
        lambda: [b'{"Format": 1, "SecurityFloor": 2, "TrustVersion": 3}'],
        _WORDS,
    ),
    Target("trust-built-in", "policy and security version of a kernel", built_in, lambda: [b"enforce\n", b"12\n"]),
)
