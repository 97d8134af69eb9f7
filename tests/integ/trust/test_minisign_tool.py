"""The tool minisign against our readers and both verifiers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
from gprov.domain.errors import BadInput
from gprov.domain.formats.minisign import PublicKey, parse_public_key, parse_signature, serialise_public_key
from gprov.domain.trust.keys import signature_problem
from tests.unit.trust.owner import SIGNER

VERIFIERS = (PythonVerifier(), LibcryptoVerifier())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a key pair of the tool."""
    folder = tmp_path_factory.mktemp("minisign")
    run("-G", "-W", "-p", folder / "tool.pub", "-s", folder / "tool.key")
    return folder


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["minisign", *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.stdout


def tool_key(folder: Path) -> PublicKey:
    return parse_public_key("tool.pub", (folder / "tool.pub").read_bytes())


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 5000], ids=("empty", "short", "long"))
def test_what_the_tool_signs_is_verified(folder: Path, content: bytes) -> None:
    file = folder / "file"
    file.write_bytes(content)
    run("-S", "-s", folder / "tool.key", "-m", file, "-t", "a cömment")
    signature = parse_signature("file.minisig", Path(f"{file}.minisig").read_bytes())
    assert signature.trusted_comment == "a cömment"
    for verifier in VERIFIERS:
        assert signature_problem(tool_key(folder), signature, content, verifier) == ""
        assert signature_problem(tool_key(folder), signature, content + b"x", verifier)


def test_ids_are_those_that_the_tool_prints(folder: Path) -> None:
    """The tool leaves out zeros at the beginning."""
    printed = (folder / "tool.pub").read_text().split("\n")[0]
    assert printed == f"untrusted comment: minisign public key {tool_key(folder).key_id.lstrip('0')}"


def test_legacy_signatures_of_the_tool_are_refused(folder: Path) -> None:
    file = folder / "legacy"
    file.write_bytes(b"x")
    run("-S", "-l", "-s", folder / "tool.key", "-m", file)
    with pytest.raises(BadInput, match="is a legacy signature"):
        parse_signature("legacy.minisig", Path(f"{file}.minisig").read_bytes())


def test_the_tool_verifies_what_we_write(folder: Path) -> None:
    key, file = folder / "ours.pub", folder / "ours"
    key.write_bytes(serialise_public_key(SIGNER.public))
    file.write_bytes(b"content")
    Path(f"{file}.minisig").write_bytes(SIGNER.sign(b"content", "said by us"))
    assert "said by us" in run("-V", "-p", key, "-m", file)
    assert "said by us" in run("-V", "-P", SIGNER.public.text, "-m", file)
    file.write_bytes(b"changed")
    with pytest.raises(subprocess.CalledProcessError):
        run("-V", "-p", key, "-m", file)
