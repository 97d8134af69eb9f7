"""``gprov update bundle``: what it takes, what it refuses, and that nothing is left of what was refused."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from gprov.domain.update.bundle import FoundHead, read_head
from tests.unit.trust.desk import Desk

SWU = "WIDGET.LNX.SHINY.2024-01-01.1.swu"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """With the keys a, b (roots) and s, t (signers; t was revoked in version 2), and a signed image."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    for name in "abst":
        desk.key(name)
    roots = ("--root", "@a.pub", "--root", "@b.pub")
    desk.done("keys", "new-chain", *roots, "--signer", "@s.pub", "--signer", "@t.pub", "--output", "@1")
    desk.done("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", "@old.chain")
    revoked = str(desk.json("keys", "show", "@t.pub")[0]["key"])
    desk.done("keys", "revoke", revoked, "--chain", "@old.chain", "--output", "@2")
    desk.done("keys", "join", "@2", *desk.signed("2", "a", "b"), "--chain", "@old.chain", "--output", "@trust.chain")
    desk.signed_image("2024-01-01.1", "s", "--platform", "QEMU", "--platform", "OTHER")
    return desk


@pytest.fixture
def desk(kept: Desk, tmp_path: Path) -> Desk:
    """A copy of the files that a test may spoil."""
    for path in kept.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(path.stat().st_mode)
    return Desk(tmp_path)


IMAGE = "WIDGET.LNX.SHINY.2024-01-01.1.upd"


def head_of(desk: Desk) -> FoundHead:
    found = read_head(SWU, desk.path(SWU).read_bytes())
    assert isinstance(found, FoundHead)
    return found


def refused(desk: Desk, *options: str, code: int = 1) -> str:
    before = sorted(path.name for path in desk.folder.iterdir())
    assert desk.run("update", "bundle", f"@{IMAGE}", *options) == code, desk.said
    assert sorted(path.name for path in desk.folder.iterdir()) == before
    return desk.said


def test_a_bundle_holds_the_files(desk: Desk) -> None:
    made = desk.json("update", "bundle", f"@{IMAGE}", "--trust", "@trust.chain")
    content = desk.path(SWU).read_bytes()
    assert made == {
        "path": str(desk.path(SWU)),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "version": "2024.101.1",
        "platforms": ["QEMU", "OTHER"],
    }
    found = head_of(desk)
    image = desk.path(IMAGE).read_bytes()
    assert content[found.offset :][: found.head.size] == image
    assert found.head.image == IMAGE
    assert found.head.manifest == desk.path(f"{IMAGE}.manifest").read_bytes()
    assert found.head.signature == desk.path(f"{IMAGE}.manifest.minisig").read_bytes()
    assert found.head.chain == desk.path("trust.chain").read_bytes()
    assert b'"QEMU", "OTHER"' in found.head.description
    assert desk.path(SWU).stat().st_mode & 0o777 == 0o600


def test_platforms_may_be_fewer(desk: Desk) -> None:
    said = desk.done("update", "bundle", f"@{IMAGE}", "--platform", "OTHER", "--platform", "OTHER")
    assert said.endswith("version 2024.101.1, for OTHER\n")
    found = head_of(desk)
    assert found.head.chain is None
    assert b'"OTHER"' in found.head.description
    assert b"QEMU" not in found.head.description


def test_a_platform_that_would_refuse_it(desk: Desk) -> None:
    assert "units of NEITHER would refuse it" in refused(desk, "--platform", "NEITHER", "--platform", "QEMU")


def test_an_image_for_all_platforms_needs_names(desk: Desk) -> None:
    desk.done("image", "sign", f"@{IMAGE}", "--key", "@s.key")
    assert "name those that the server shall offer it to (--platform)" in refused(desk)
    desk.done("update", "bundle", f"@{IMAGE}", "--platform", "ANY")
    assert b'"ANY"' in head_of(desk).head.description


@pytest.mark.parametrize("missing", [".manifest", ".manifest.minisig"])
def test_an_image_that_is_not_signed(desk: Desk, missing: str) -> None:
    desk.path(IMAGE + missing).unlink()
    said = refused(desk)
    assert f"{missing} is missing; gprov image sign writes it" in said


def test_an_image_that_changed(desk: Desk) -> None:
    content = bytearray(desk.path(IMAGE).read_bytes())
    content[len(content) // 2] ^= 1
    desk.path(IMAGE).write_bytes(content)
    assert "is not the file that its manifest describes" in refused(desk)
    desk.path(IMAGE).write_bytes(content + b"\0")
    assert "in its manifest: sign it again" in refused(desk)


def test_an_image_that_is_too_large_for_an_archive(desk: Desk) -> None:
    manifest = desk.path(f"{IMAGE}.manifest")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "Size": 4 << 30}))
    with desk.path(IMAGE).open("r+b") as file:
        file.truncate(4 << 30)
    assert "a bundle holds at most 4294967295: publish image and manifest as files" in refused(desk)


def test_a_manifest_of_another_image(desk: Desk) -> None:
    other = desk.signed_image("2024-01-01.2", "s", "--platform", "QEMU")
    for suffix in (".manifest", ".manifest.minisig"):
        desk.path(other + suffix).rename(desk.path(IMAGE + suffix))
    assert f"is the manifest of {other}: a file was renamed" in refused(desk)
    assert "was renamed" in refused(desk, "--trust", "@trust.chain")


def test_a_signature_that_is_none(desk: Desk) -> None:
    desk.path(f"{IMAGE}.manifest.minisig").write_bytes(b"signed, honestly\n")
    assert "minisig" in refused(desk)


def test_a_revoked_signer(desk: Desk) -> None:
    desk.done("image", "sign", f"@{IMAGE}", "--key", "@t.key", "--platform", "QEMU")
    assert "was revoked (trust version 2)" in refused(desk, "--trust", "@trust.chain")
    desk.done("update", "bundle", f"@{IMAGE}", "--trust", "@old.chain")


def test_a_bundle_is_replaced_and_written_elsewhere(desk: Desk) -> None:
    desk.path("out").mkdir()
    desk.path("out").joinpath(SWU).write_bytes(b"earlier")
    made = desk.json("update", "bundle", f"@{IMAGE}", "--output", "@out")
    assert os.listdir(desk.path("out")) == [SWU]
    assert Path(made["path"]) == desk.path("out") / SWU
    assert (desk.path("out") / SWU).stat().st_size == made["size"]


def test_a_folder_that_is_not_there(desk: Desk) -> None:
    assert "cannot be written" in refused(desk, "--output", "@nowhere", code=3)


def test_a_name_that_is_none(desk: Desk) -> None:
    assert "prefix" in refused(desk, "--prefix", "OTHER.")
    assert desk.run("update", "bundle", "@nothing.upd") == 1
    assert desk.run("update", "bundle", "@WIDGET.LNX.SHINY.2024-01-01.9.upd") == 1
