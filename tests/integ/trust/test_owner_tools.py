"""What an auditor needs of ours to check an image: nothing. The tool minisign reads our keys and verifies what we sign;
we sign with its keys."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.keys.minisign_key import MinisignSigner, read_signer
from gprov.domain.trust.built_in import POLICY_FILE, SECURITY_VERSION_FILE
from gprov.domain.unit.credentials import Secret
from tests.unit.trust.desk import Desk

PASSPHRASE = "a passphrase that is long"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def minisign(*arguments: str | Path, typed: str = "") -> str:
    done = subprocess.run(["minisign", *arguments], check=True, capture_output=True, text=True, input=typed)
    return done.stdout


def test_an_auditor_checks_an_image_without_gprov(desk: Desk) -> None:
    desk.key("s")
    image = desk.signed_image("2024-01-01.1", "s", "--security-version", "3")
    manifest = desk.path(f"{image}.manifest")
    assert f"Trusted comment: {image} " in minisign("-V", "-p", desk.path("s.pub"), "-m", manifest)
    listed = json.loads(manifest.read_bytes())
    with desk.path(image).open("rb") as file:
        assert listed["Sha256"] == hashlib.file_digest(file, "sha256").hexdigest()
    assert (listed["Size"], listed["SecurityVersion"]) == (desk.path(image).stat().st_size, 3)
    manifest.write_bytes(manifest.read_bytes().replace(b'"SecurityVersion": 3', b'"SecurityVersion": 4'))
    with pytest.raises(subprocess.CalledProcessError):
        minisign("-V", "-p", desk.path("s.pub"), "-m", manifest)


def test_the_tool_signs_statements_with_our_keys(desk: Desk) -> None:
    """One root signs with gprov, the other one, whose key has a passphrase, with minisign."""
    for name in "as":
        desk.key(name)
    reading, writing = os.pipe()
    os.write(writing, f"{PASSPHRASE}\n".encode())
    os.close(writing)
    desk.done("keys", "new", "@b", "--passphrase-fd", str(reading))
    desk.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    minisign("-S", "-s", desk.path("b.key"), "-m", desk.path("1"), "-x", desk.path("b.sig"), typed=f"{PASSPHRASE}\n")
    desk.done("keys", "join", "@1", *desk.signed("1", "a"), "@b.sig", "--output", "@chain")
    assert desk.json("keys", "check", "@chain")["version"] == 1


def test_images_are_signed_with_keys_of_the_tool(desk: Desk) -> None:
    minisign("-G", "-W", "-p", desk.path("s.pub"), "-s", desk.path("s.key"))
    for name in "ab":
        desk.key(name)
    desk.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    desk.done("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", "@chain")
    image = desk.signed_image("2024-01-01.1", "s", "--trust", str(desk.path("chain")))
    desk.done("image", "verify", f"@{image}", "--trust", "@chain")
    minisign("-V", "-p", desk.path("s.pub"), "-m", desk.path(f"{image}.manifest"))


@pytest.mark.nightly
def test_keys_of_the_tool_with_a_passphrase(desk: Desk) -> None:
    """It takes 1 GiB of memory to derive the key."""
    typed = f"{PASSPHRASE}\n{PASSPHRASE}\n"
    minisign("-G", "-p", desk.path("s.pub"), "-s", desk.path("s.key"), typed=typed)
    signer = read_signer(str(desk.path("s.key")), lambda: Secret(PASSPHRASE))
    assert isinstance(signer, MinisignSigner)
    assert signer.public.text in desk.path("s.pub").read_text()


def test_a_chain_in_an_initramfs(desk: Desk) -> None:
    for name in "abs":
        desk.key(name)
    desk.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    desk.done("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", "@chain")
    # Another spelling of the same chain makes the same initramfs.
    desk.path("spelled").write_text(json.dumps(json.loads(desk.path("chain").read_text())))
    build = ("build", "initramfs", "--flavor", "normal", "--level", "1", "--output", str(desk.path("x.zst")))
    options = ("--trust", str(desk.path("spelled")), "--trust-policy", "warn", "--security-version", "3")
    gprov = (sys.executable, "-m", "gprov.apps.host.cli.main")
    # A cache of its own: the shared one may be in use for minutes.
    environment = {**os.environ, "GPROV_CACHE": str(desk.path("cache"))}
    subprocess.run([*gprov, *build, *options], check=True, capture_output=True, env=environment)
    nodes = {node["path"]: node for node in desk.json("build", "contents", "@x.zst")["nodes"]}
    found = {path: node["sha256"] for path, node in nodes.items() if "/etc/gprov/trust" in path}
    expected = {
        "/etc/gprov/trust/trust.chain": desk.path("chain").read_bytes(),
        POLICY_FILE: b"warn\n",
        SECURITY_VERSION_FILE: b"3\n",
    }
    files = {path: hashlib.sha256(content).hexdigest() for path, content in expected.items()}
    assert {path: digest for path, digest in found.items() if digest} == files
    assert "/usr/lib/x86_64-linux-gnu/libcrypto.so.3" in nodes
    assert "/usr/lib/python3.11/gprov/adapters/linux/system/libcrypto.pyc" in nodes
