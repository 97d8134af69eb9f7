"""``gprov keys`` and ``gprov image sign``: files, refusals, and what is printed."""

from __future__ import annotations

import io
import json
import lzma
import os
import shutil
import stat
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.adapters.linux.keys.minisign_key import read_signer
from gprov.apps.host.trust.signed_files import sign_file
from gprov.domain.errors import BadInput
from gprov.domain.formats.minisign_secret import (
    MAX_LOG2_COST,
    SALT_SIZE,
    SEALED_SIZE,
    Kdf,
    ScryptCost,
    kdf_of,
    open_sealed,
    parse_secret_key,
    scrypt_cost,
    seal,
    serialise_secret_key,
)
from gprov.domain.formats.minisign_secret import SealedKey as Sealed
from gprov.domain.trust import changes
from gprov.domain.trust.chain import TrustChain
from gprov.domain.trust.policy import content_doubt
from gprov.domain.trust.statement import serialise_statement
from gprov.domain.unit.credentials import Secret
from tests.unit.trust.desk import Desk

PASSPHRASE = "a passphrase that is long"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    for name in "abst":
        desk.key(name)
    desk.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    desk.done("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", "@chain")
    return desk.folder


@pytest.fixture
def desk(prepared: Path, tmp_path: Path) -> Desk:
    return Desk(Path(shutil.copytree(prepared, tmp_path / "desk")))


def descriptor(text: str) -> str:
    """A file descriptor that gives this line."""
    reading, writing = os.pipe()
    os.write(writing, f"{text}\n".encode())
    os.close(writing)
    return str(reading)


def test_a_key_with_a_passphrase(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.done("keys", "new", "@k", "--passphrase-fd", descriptor(PASSPHRASE))
    assert PASSPHRASE.encode() not in desk.path("k.key").read_bytes()
    image = desk.image("2024-01-01.1")
    assert desk.run("image", "sign", f"@{image}", "--key", "@k.key", "--passphrase-fd", descriptor("another")) == 1
    assert "has another passphrase, or is damaged" in desk.said
    assert "another\n" not in desk.said
    assert not desk.path(f"{image}.manifest").exists()
    desk.done("image", "sign", f"@{image}", "--key", "@k.key", "--passphrase-fd", descriptor(PASSPHRASE))


def test_a_passphrase_that_is_short(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.run("keys", "new", "@k", "--passphrase-fd", descriptor("short")) == 1
    assert "must have at least 12 characters" in desk.said
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with open(os.devnull) as null:
        before = os.dup(0)
        os.dup2(null.fileno(), 0)
        try:
            assert desk.run("keys", "new", "@k") == 1
        finally:
            os.dup2(before, 0)
            os.close(before)
    assert "give --passphrase-fd" in desk.said


def test_files_and_their_modes(desk: Desk) -> None:
    before = {path.name for path in desk.folder.iterdir()}
    image = desk.signed_image("2024-01-01.1", "s")
    manifest, signature = f"{image}.manifest", f"{image}.manifest.minisig"
    assert {path.name for path in desk.folder.iterdir()} - before == {image, manifest, signature}
    names = ("s.key", "s.pub", "chain", manifest, signature)
    modes = [stat.S_IMODE(desk.path(name).stat().st_mode) for name in names]
    assert modes == [0o600, 0o644, 0o644, 0o600, 0o644]


def test_no_key_is_replaced(desk: Desk) -> None:
    before = desk.path("s.key").read_bytes()
    assert desk.run("keys", "new", "@s", "--no-passphrase") == 3
    desk.path("s.key").rename(desk.path("elsewhere"))
    assert desk.run("keys", "new", "@s", "--no-passphrase") == 3
    assert "s.pub: exists: no key is replaced" in desk.said
    assert desk.path("elsewhere").read_bytes() == before


def test_a_secret_key_that_others_can_read(desk: Desk) -> None:
    desk.path("s.key").chmod(0o640)
    image = desk.image("2024-01-01.1")
    assert desk.run("image", "sign", f"@{image}", "--key", "@s.key") == 1
    assert "is a secret key with mode 0640: chmod 600 makes it private" in desk.said


@pytest.mark.parametrize("content", [b"", b"x\ny\n", b"untrusted comment: x\nQUJD\n"])
def test_a_secret_key_that_is_none(desk: Desk, content: bytes) -> None:
    desk.path("s.key").write_bytes(content)
    assert desk.run("image", "sign", f"@{desk.image('2024-01-01.1')}", "--key", "@s.key") == 1


def test_a_damaged_secret_key(desk: Desk) -> None:
    lines = desk.path("s.key").read_text().splitlines()
    lines[1] = lines[1][:120] + ("A" if lines[1][120] != "A" else "B") + lines[1][121:]
    desk.path("s.key").write_text("\n".join(lines) + "\n")
    assert desk.run("image", "sign", f"@{desk.image('2024-01-01.1')}", "--key", "@s.key") == 1
    assert "is damaged" in desk.said


def test_a_secret_key_with_the_public_part_of_another(desk: Desk) -> None:
    """minisign writes no checksum into keys without a passphrase."""
    other = read_signer(str(desk.path("t.key")), lambda: Secret("")).public
    own = open_sealed("s.key", parse_secret_key("s.key", desk.path("s.key").read_bytes()), bytes(SEALED_SIZE))
    sealed = seal(replace(own, public=other), None, bytes(SEALED_SIZE)).sealed
    desk.path("s.key").write_bytes(serialise_secret_key(Sealed(None, sealed[:-32] + bytes(32))))
    assert desk.run("image", "sign", f"@{desk.image('2024-01-01.1')}", "--key", "@s.key") == 1
    assert "holds a public key that does not belong to the secret one" in desk.said


def test_show(desk: Desk) -> None:
    image = desk.signed_image("2024-01-01.1", "s", "--security-version", "4")
    rows = desk.json("keys", "show", "@s.pub", f"@{image}.manifest.minisig")
    assert [row["kind"] for row in rows] == ["public key", "signature"]
    assert rows[0]["key"] == rows[1]["key"]
    assert rows[1]["trusted_comment"].startswith(f"{image} ")
    assert rows[1]["trusted_comment"].endswith(" security version 4")
    assert rows[0]["key"] in desk.done("keys", "show", "@s.pub", f"@{image}.manifest.minisig")
    assert desk.run("keys", "show", "@s.key") == 1


def test_sign_and_verify_an_image(desk: Desk) -> None:
    image = desk.image("2024-01-01.1")
    options = ("--security-version", "3", "--floor", "2", "--platform", "QEMU", "--platform", "Other")
    made = desk.json("image", "sign", f"@{image}", "--key", "@s.key", "--trust", "@chain", *options)
    assert (made["security_version"], made["floor"], made["platforms"]) == (3, 2, ["QEMU", "Other"])
    assert made["paths"] == [str(desk.path(f"{image}.manifest")), str(desk.path(f"{image}.manifest.minisig"))]
    said = desk.done("image", "verify", f"@{image}", "--trust", "@chain")
    assert f"signed: by {made['key']}, security version 3, floor 2, for QEMU, Other" in said
    assert desk.json("image", "verify", f"@{image}", "--trust", "@chain")[0]["signature"]["key"] == made["key"]
    assert "signature" not in desk.json("image", "verify", f"@{image}")[0]


def test_verify_refuses_what_is_not_signed_by_the_owner(desk: Desk) -> None:
    unsigned, foreign = desk.image("2024-01-01.1"), desk.signed_image("2024-01-01.2", "t")
    assert desk.run("image", "verify", f"@{unsigned}", "--trust", "@chain") == 1
    assert "is not signed" in desk.said
    assert desk.run("image", "verify", f"@{foreign}", "--trust", "@chain") == 1
    assert "which is no key of the owner" in desk.said
    assert desk.run("image", "verify", f"@{foreign}", "--trust", "@none") == 3


def test_verify_refuses_a_manifest_of_another_image(desk: Desk) -> None:
    image = desk.signed_image("2024-01-01.1", "s")
    desk.path(image).write_bytes(build_image(build_kernel(8)))
    assert desk.run("image", "verify", f"@{image}", "--trust", "@chain") == 1
    assert "is validly signed, and describes another file" in desk.said


def sign_again(desk: Desk, path: Path) -> None:
    path.with_name(f"{path.name}.minisig").unlink()
    sign_file(
        str(path), path.read_bytes(), read_signer(str(desk.path("s.key")), lambda: Secret("")), "x", PythonVerifier()
    )


def test_a_manifest_that_does_not_say_whether_there_are_acls_is_good(desk: Desk) -> None:
    """As those of earlier versions."""
    image = desk.signed_image("2024-01-01.1", "s")
    path = desk.path(f"{image}.manifest")
    document = json.loads(path.read_bytes())
    for value, status in ((True, 0), (None, 0), (False, 0)):
        if value is None:
            del document["Acls"]
        else:
            document["Acls"] = value
        path.write_text(json.dumps(document))
        sign_again(desk, path)
        assert desk.run("image", "verify", f"@{image}", "--trust", "@chain") == status


def test_a_manifest_that_conceals_acls_is_refused(desk: Desk) -> None:
    """tar would leave them out."""
    image = desk.image("2024-01-01.1")
    archive = io.BytesIO(lzma.decompress(desk.path(image).read_bytes()))
    with tarfile.open(fileobj=archive, mode="a:", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("listed")
        member.pax_headers = {"SCHILY.acl.access": "user::rw-,group::r--,other::---"}
        tar.addfile(member)
    desk.path(image).write_bytes(lzma.compress(archive.getvalue(), check=lzma.CHECK_SHA256))
    desk.done("image", "sign", f"@{image}", "--key", "@s.key")
    path = desk.path(f"{image}.manifest")
    document = json.loads(path.read_bytes())
    assert document["Acls"] is True
    path.write_text(json.dumps({**document, "Acls": False}))
    sign_again(desk, path)
    assert desk.run("image", "verify", f"@{image}", "--trust", "@chain") == 1
    assert "is validly signed, and describes another file" in desk.said


def test_a_key_that_is_no_signer_signs_nothing(desk: Desk) -> None:
    image = desk.image("2024-01-01.1")
    for key in ("t", "a"):
        assert desk.run("image", "sign", f"@{image}", "--key", f"@{key}.key", "--trust", "@chain") == 1
        assert not desk.path(f"{image}.manifest").exists()


def test_an_image_that_is_damaged_is_not_signed(desk: Desk) -> None:
    image = desk.image("2024-01-01.1")
    content = bytearray(desk.path(image).read_bytes())
    content[len(content) // 2] ^= 1
    desk.path(image).write_bytes(content)
    assert desk.run("image", "sign", f"@{image}", "--key", "@s.key") == 1
    assert not desk.path(f"{image}.manifest").exists()


@pytest.mark.parametrize("user", ["admin", "root"])
def test_an_image_with_an_open_account(desk: Desk, user: str) -> None:
    """It is refused by sign and verify, and by create: also an admin account, whose password a restore replaces."""
    lines = {"root": "root:*:1::::::", "admin": "admin:!:1::::::"}
    lines[user] = f"{user}::1::::::"
    shadow = ("\n".join(lines.values()) + "\n").encode()
    image = "WIDGET.LNX.SHINY.2024-01-01.1.upd"
    desk.path(image).write_bytes(build_image(build_kernel(7), extra={"etc/shadow": shadow}))
    for words in (("verify", f"@{image}"), ("sign", f"@{image}", "--key", "@s.key")):
        assert desk.run("image", *words) == 1
        assert f"'{user}' can log in without a password: lock the account" in desk.said
    create = ("--tar", f"@{image}.tar.xz", "--date", "2024-01-01", "--build", "2", "--output", str(desk.folder))
    desk.path(f"{image}.tar.xz").write_bytes(desk.path(image).read_bytes())
    assert desk.run("image", "create", *create) == 1
    assert f"'{user}' can log in without a password: lock the account" in desk.said


def test_a_floor_above_the_image(desk: Desk) -> None:
    image = desk.image("2024-01-01.1")
    assert desk.run("image", "sign", f"@{image}", "--key", "@s.key", "--floor", "1") == 1
    assert "Floor: must be at most the security version, 0, is 1" in desk.said


def test_the_list_says_which_images_are_signed(desk: Desk) -> None:
    desk.signed_image("2024-01-01.2", "s")
    desk.image("2024-01-01.1")
    for name in list(desk.folder.iterdir()):
        if ".upd" not in name.name:
            name.unlink()
    lines = desk.done("image", "list", str(desk.folder)).splitlines()
    assert lines == ["WIDGET.LNX.SHINY.2024-01-01.2.upd: signed", "WIDGET.LNX.SHINY.2024-01-01.1.upd"]
    rows = desk.json("image", "list", str(desk.folder))
    assert [row["signed"] for row in rows] == [True, False]


def test_sign_a_document_of_the_factory(desk: Desk) -> None:
    content = b'{"Files": []}'
    desk.path("manufData.json").write_bytes(content)
    made = desk.json("manuf", "sign", "@manufData.json", "--key", "@s.key", "--trust", "@chain")
    assert made["path"] == str(desk.path("manufData.json.minisig"))
    statement = desk.chain("chain").current
    found = desk.path("manufData.json.minisig").read_bytes()
    assert content_doubt(statement, "manufData.json", content, found, PythonVerifier()) is None
    assert content_doubt(statement, "manufData.json", content + b" ", found, PythonVerifier()) is not None
    assert desk.run("manuf", "sign", "@manufData.json", "--key", "@t.key", "--trust", "@chain") == 1
    desk.path("manufData.json").write_bytes(b"{")
    assert desk.run("manuf", "sign", "@manufData.json", "--key", "@s.key") == 1


@pytest.mark.parametrize("key", ["Kind", "kind"])
def test_a_document_that_could_be_a_manifest_too_is_not_signed(desk: Desk, key: str) -> None:
    """Both are signed with the same key."""
    image = desk.signed_image("2024-01-01.1", "s")
    manifest = json.loads(desk.path(f"{image}.manifest").read_bytes())
    manifest[key] = manifest.pop("Kind")
    desk.path("manufData.json").write_text(json.dumps({"Files": [], **manifest}))
    assert desk.run("manuf", "sign", "@manufData.json", "--key", "@s.key") == 1
    assert "$.Kind: is a key of other signed documents" in desk.said
    assert not desk.path("manufData.json.minisig").exists()


def test_statements_are_shown_before_they_are_signed(desk: Desk) -> None:
    said = desk.done("keys", "sign", "@1", "--key", "@a.key")
    for name, role in (("a", "root"), ("b", "root"), ("s", "signer")):
        assert f"  {role:7} {desk.json('keys', 'show', f'@{name}.pub')[0]['key']}" in said


def test_a_chain_with_one_root(desk: Desk) -> None:
    with pytest.raises(SystemExit) as stopped:
        desk.run("keys", "new-chain", "--root", "@a.pub", "--signer", "@s.pub", "--output", "@x")
    assert stopped.value.code == 2


def test_changes_of_keys_that_are_not_there(desk: Desk) -> None:
    assert desk.run("keys", "revoke", "0" * 16, "--chain", "@chain", "--output", "@x") == 1
    assert "has no signer 0000000000000000; its signers: " in desk.said
    assert desk.run("keys", "replace-root", "0" * 16, "--new", "@t.pub", "--chain", "@chain", "--output", "@x") == 1
    assert not desk.path("x").exists()


def test_only_manifests_are_kept(desk: Desk) -> None:
    key = desk.json("keys", "show", "@s.pub")[0]["key"]
    words = ("keys", "revoke", key, "--chain", "@chain", "--output", "@x")
    assert desk.run(*words, "--keep", "@chain") == 1
    first, second = desk.signed_image("2024-01-01.1", "s"), desk.signed_image("2024-01-01.2", "s")
    kept = desk.json(*words, "--keep", f"@{first}.manifest")["statement"]["revoked"][0]["keep"]
    assert len(kept) == 1
    desk.done("keys", "join", "@x", *desk.signed("x", "a", "b"), "--chain", "@chain", "--output", "@chain")
    # More of a revoked key may be kept later.
    more = desk.json(*words, "--keep", f"@{second}.manifest")
    assert more["statement"]["revoked"][0]["keep"][:1] == kept
    assert len(more["statement"]["revoked"][0]["keep"]) == 2
    assert more["statement"]["version"] == 3


def test_a_chain_that_was_changed(desk: Desk) -> None:
    value = json.loads(desk.path("chain").read_text())
    value["Statements"][0]["Signatures"].pop()
    desk.path("chain").write_text(json.dumps(value))
    assert desk.run("keys", "check", "@chain") == 1
    assert "lack a valid one of the root" in desk.said


@pytest.mark.parametrize("log2_cost", range(10, MAX_LOG2_COST + 1))
def test_the_cost_is_the_one_that_libsodium_finds(log2_cost: int) -> None:
    assert scrypt_cost(kdf_of(bytes(SALT_SIZE), log2_cost)) == ScryptCost(log2_cost, 8, 1)


def test_the_costs_of_minisign_and_libsodium() -> None:
    """OPSLIMIT and MEMLIMIT, SENSITIVE and INTERACTIVE, of crypto_pwhash_scryptsalsa208sha256.h."""
    assert scrypt_cost(Kdf(b"", 33554432, 1073741824)) == ScryptCost(20, 8, 1)
    assert scrypt_cost(Kdf(b"", 524288, 16777216)) == ScryptCost(14, 8, 1)


def test_a_key_that_would_use_up_the_machine() -> None:
    for kdf in (Kdf(bytes(32), 2**40, 2**40), Kdf(bytes(32), 2**60, 2**20), Kdf(bytes(32), 2**63, 2**63)):
        content = serialise_secret_key(Sealed(kdf, bytes(SEALED_SIZE)))
        with pytest.raises(BadInput, match="asks for more than"):
            parse_secret_key("k", content)


def test_a_kernel_without_keys_that_enforces_is_not_built(desk: Desk) -> None:
    for policy in ("enforce", "enforce-always"):
        with pytest.raises(SystemExit) as stopped:
            desk.run("build", "initramfs", "--flavor", "normal", "--output", "@x", "--trust-policy", policy)
        assert stopped.value.code == 2


def test_a_kernel_with_a_chain_that_is_not_valid_is_not_built(desk: Desk) -> None:
    value = json.loads(desk.path("chain").read_text())
    value["Statements"][0]["Signatures"].pop()
    desk.path("chain").write_text(json.dumps(value))
    for what in ("initramfs", "kernel"):
        assert desk.run("build", what, "--flavor", "normal", "--output", "@x", "--trust", "@chain") == 1
        assert "lack a valid one of the root" in desk.said
    assert not desk.path("x").exists()


def test_a_chain_that_would_be_too_long(desk: Desk) -> None:
    key = desk.json("keys", "show", "@s.pub")[0]["key"]
    digests = [f"{number:064x}" for number in range(2000)]
    chain = desk.chain("chain")
    for _ in range(5):
        content = serialise_statement(changes.revoke(chain.current, key, digests))
        chain = TrustChain(changes.joined(chain, "s", content, ()).statements)
    content = serialise_statement(changes.revoke(chain.current, key, digests))
    with pytest.raises(BadInput, match="bytes long, more than"):
        changes.joined(chain, "s", content, ())
