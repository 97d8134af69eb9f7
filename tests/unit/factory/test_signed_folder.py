"""What ``gprov server check`` says about the owner's signatures in the folder of a factory server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.apps.server.setup.check_signatures import SignatureCheck
from gprov.domain.branding import Branding
from gprov.domain.factory.setup.finding import Level
from gprov.domain.formats.minisign import parse_public_key
from gprov.domain.mfg.files import RemoteFile
from tests.unit.trust.desk import Desk

SERVER = "https://10.1.0.1:8901"
DOCUMENT = "manufData.json"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The desk of an owner in the ``files`` of a server: a signed image and document, and a chain of one statement."""
    folder = tmp_path / "files"
    folder.mkdir()
    made = Desk(folder)
    for name in "abst":
        made.key(name)
    made.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    made.done("keys", "join", "@1", *made.signed("1", "a", "b"), "--output", "@trust.chain")
    made.path(DOCUMENT).write_text("{}")
    made.done("manuf", "sign", f"@{DOCUMENT}", "--key", "@s.key")
    made.signed_image("2024-01-01.1", "s")
    return made


def listed(desk: Desk, *without: str) -> tuple[RemoteFile, ...]:
    """Images, what lies beside them, and the chain, as ``Files`` of the document lists them."""
    names = sorted(path.name for path in desk.folder.iterdir() if ".upd" in path.name or path.name == "trust.chain")
    return tuple(
        RemoteFile(url=f"{SERVER}/files/{name}", sha256=hashlib.sha256(desk.path(name).read_bytes()).hexdigest())
        for name in names
        if name not in without
    )


def found(desk: Desk, files: tuple[RemoteFile, ...] | None) -> list[tuple[Level, str]]:
    own = frozenset({("10.1.0.1", 8901)})
    checked = SignatureCheck(
        folder=str(desk.folder.parent), own=own, branding=Branding(), verifier=PythonVerifier()
    ).findings(files)
    return [(one.level, one.describe().removeprefix(f"{desk.folder}/")) for one in checked]


def only(desk: Desk, files: tuple[RemoteFile, ...] | None) -> str:
    """The only problem."""
    ((level, text),) = found(desk, files)
    assert level is Level.PROBLEM
    return text


IMAGE = "WIDGET.LNX.SHINY.2024-01-01.1.upd"


def test_all_is_signed(desk: Desk) -> None:
    assert found(desk, listed(desk)) == []
    assert found(desk, None) == []


def test_without_a_chain_nothing_is_demanded(desk: Desk) -> None:
    desk.path("trust.chain").unlink()
    ((level, text),) = found(desk, listed(desk))
    assert (level, text.startswith(f"{DOCUMENT}.minisig: is not checked: trust.chain is missing")) == (
        Level.WARNING,
        True,
    )
    desk.path(f"{DOCUMENT}.minisig").unlink()
    assert found(desk, listed(desk)) == []


def test_a_document_that_was_changed_since(desk: Desk) -> None:
    desk.path(DOCUMENT).write_text("{} ")
    text = only(desk, listed(desk))
    assert text.startswith(f"{DOCUMENT}.minisig: {DOCUMENT}: its signature is not that of the key")
    assert "`gprov manuf sign manufData.json`, after each change of it" in text
    desk.path(f"{DOCUMENT}.minisig").unlink()
    assert "is not signed: manufData.json.minisig is missing" in only(desk, listed(desk))


def without_manifest(desk: Desk) -> None:
    desk.path(f"{IMAGE}.manifest").unlink()


def with_damaged_signature(desk: Desk) -> None:
    desk.path(f"{IMAGE}.manifest.minisig").write_text("x")


def of_a_stranger(desk: Desk) -> None:
    desk.done("image", "sign", f"@{IMAGE}", "--key", "@t.key")


def of_another_name(desk: Desk) -> None:
    other = desk.signed_image("2024-01-01.2", "s")
    for suffix in (".manifest", ".manifest.minisig"):
        desk.path(other + suffix).replace(desk.path(IMAGE + suffix))
    desk.path(other).unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_manifest, "is not signed"),
        (with_damaged_signature, "must begin with"),
        (of_a_stranger, "which is no key of the owner"),
        (of_another_name, "is signed as WIDGET.LNX.SHINY.2024-01-01.2.upd"),
    ],
)
def test_an_image_that_units_would_refuse(desk: Desk, change: Callable[[Desk], None], said: str) -> None:
    change(desk)
    text = only(desk, listed(desk))
    assert text.startswith(f"{IMAGE}: ")
    assert said in text


def test_a_manifest_of_other_bytes(desk: Desk) -> None:
    files = tuple(
        RemoteFile(url=file.url, sha256="0" * 64) if file.url.endswith(IMAGE) else file for file in listed(desk)
    )
    assert only(desk, files).startswith(f"{IMAGE}.manifest: is that of another image: Sha256 in manufData.json differs")


@pytest.mark.parametrize("suffix", [".manifest", ".manifest.minisig"])
def test_what_the_document_does_not_list(desk: Desk, suffix: str) -> None:
    text = only(desk, listed(desk, IMAGE + suffix))
    assert text.startswith(f"{IMAGE}{suffix}: is not in Files of manufData.json")


def test_a_chain_is_listed_once_it_says_more_than_kernels_know(desk: Desk) -> None:
    assert found(desk, listed(desk, "trust.chain")) == []
    desk.done("keys", "add-signer", "--chain", "@trust.chain", "--signer", "@t.pub", "--output", "@2")
    words = ("--chain", "@trust.chain", "--output", "@trust.chain")
    desk.done("keys", "join", "@2", *desk.signed("2", "a", "b"), *words)
    assert found(desk, listed(desk)) == []
    assert found(desk, None) == []
    ((level, text),) = found(desk, listed(desk, "trust.chain"))
    assert level is Level.WARNING
    assert text.startswith("trust.chain: is not in Files of manufData.json")


def test_a_chain_that_is_not_valid(desk: Desk) -> None:
    desk.path("trust.chain").write_text("{}")
    assert any(text.startswith("trust.chain: $.Statements: ") for _, text in found(desk, listed(desk)))


def test_a_revoked_signer(desk: Desk) -> None:
    key = parse_public_key("s", desk.path("s.pub").read_bytes()).key_id
    words = ("--chain", "@trust.chain", "--output", "@2", "--keep", f"@{IMAGE}.manifest", "--signer", "@t.pub")
    desk.done("keys", "revoke", key, *words)
    chain = ("--chain", "@trust.chain", "--output", "@trust.chain")
    desk.done("keys", "join", "@2", *desk.signed("2", "a", "b"), *chain)
    assert "which was revoked" in only(desk, listed(desk))  # the document; the image is kept
    desk.done("manuf", "sign", f"@{DOCUMENT}", "--key", "@t.key")
    assert found(desk, listed(desk)) == []
