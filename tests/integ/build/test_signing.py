"""Signatures of kernels: sbsign makes them, and sbverify judges what our reader judges."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.fake.archive.artifacts import build_kernel
from gprov.adapters.linux.system.authenticode import OpensslCodeSignatures
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.signing import KernelSigner, signed_program
from gprov.apps.host.lab.secure_boot import certificate_der, lab_signer
from gprov.domain.errors import BadInput, DeviceMissing, RefusedByPolicy
from gprov.domain.formats.bzimage import parse_whole
from gprov.domain.formats.pe import authenticode_digest, parse_pe, signatures

PROCESSES = SystemProcesses()
pytestmark = pytest.mark.skipif(PROCESSES.which("sbsign") is None, reason="needs sbsigntool")


def openssl(*words: str) -> None:
    subprocess.run(("openssl", *words), check=True, capture_output=True)


def self_signed(folder: Path, name: str) -> KernelSigner:
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    kind = ("-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}")
    openssl("req", "-x509", *kind, "-keyout", str(key), "-out", str(certificate))
    return KernelSigner(str(key), str(certificate))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signing")


@pytest.fixture(scope="module")
def owner(folder: Path) -> KernelSigner:
    return self_signed(folder, "owner")


@pytest.fixture(scope="module")
def other(folder: Path) -> KernelSigner:
    return self_signed(folder, "other")


@pytest.fixture(scope="module")
def sign(folder: Path) -> Callable[[bytes, KernelSigner], bytes]:
    cache, progress = Cache(str(folder / "cache")), BuildProgress(io.StringIO())

    def signed(content: bytes, signer: KernelSigner) -> bytes:
        path = folder / "unsigned"
        path.write_bytes(content)
        return Path(signed_program(PROCESSES, cache, progress, str(path), signer)).read_bytes()

    return signed


@pytest.fixture(scope="module")
def kernel(sign: Callable[[bytes, KernelSigner], bytes], owner: KernelSigner) -> bytes:
    return sign(build_kernel(7), owner)


def sbverify(content: bytes, certificate: str, folder: Path) -> bool:
    path = folder / "judged"
    path.write_bytes(content)
    return subprocess.run(("sbverify", "--cert", certificate, path), capture_output=True, check=False).returncode == 0


def ours(content: bytes, certificate: str) -> bool:
    try:
        image = parse_pe(content)
        found = signatures(image, content)
    except BadInput:
        return False
    der, check = certificate_der(certificate), OpensslCodeSignatures()
    return any(check.verifies(each, authenticode_digest(image, content), der) for each in found)


def test_signed_kernels_are_what_they_were(kernel: bytes) -> None:
    assert parse_whole(kernel) == parse_whole(build_kernel(7))
    assert parse_pe(kernel).signed
    assert not parse_pe(build_kernel(7)).signed


def test_the_same_kernel_gets_the_same_signature(
    sign: Callable[[bytes, KernelSigner], bytes], owner: KernelSigner, other: KernelSigner, kernel: bytes
) -> None:
    assert sign(build_kernel(7), owner) == kernel
    assert sign(build_kernel(7), other) != kernel


def test_sbverify_agrees(kernel: bytes, owner: KernelSigner, other: KernelSigner, folder: Path) -> None:
    for certificate, valid in ((owner.certificate, True), (other.certificate, False)):
        assert ours(kernel, certificate) is valid
        assert sbverify(kernel, certificate, folder) is valid


@pytest.mark.parametrize("place", [0x30, 0x1F1, 0x202, 0x40A, 0x1234, 8191, 8400, 8700, -20])
def test_sbverify_agrees_about_altered_kernels(kernel: bytes, owner: KernelSigner, folder: Path, place: int) -> None:
    changed = bytearray(kernel)
    changed[place] ^= 1
    assert not ours(bytes(changed), owner.certificate)
    assert not sbverify(bytes(changed), owner.certificate, folder)


def test_a_signature_of_another_kernel_does_not_count(
    sign: Callable[[bytes, KernelSigner], bytes], kernel: bytes, owner: KernelSigner, folder: Path
) -> None:
    another = sign(build_kernel(8), owner)
    start = parse_pe(kernel).signatures
    moved = kernel[:start] + another[start:]
    assert not ours(moved, owner.certificate)
    assert not sbverify(moved, owner.certificate, folder)


def test_a_key_that_the_owner_has_certified_may_sign(
    sign: Callable[[bytes, KernelSigner], bytes], owner: KernelSigner, other: KernelSigner, folder: Path
) -> None:
    """db has the owner's certificate, and the signature comes with that of the key. Dates do not count."""
    key, request, leaf = (str(folder / f"leaf.{end}") for end in ("key", "csr", "pem"))
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=leaf", "-keyout", key, "-out", request)
    issuer = ("-CA", owner.certificate, "-CAkey", owner.key, "-CAcreateserial")
    openssl("x509", "-req", "-in", request, *issuer, "-days", "0", "-out", leaf)
    signed = sign(build_kernel(9), KernelSigner(key, leaf))
    assert ours(signed, owner.certificate)
    assert ours(signed, leaf)
    assert not ours(signed, other.certificate)


@pytest.mark.parametrize("signature", [b"", b"\x30", b"\x30\x80", b"\x30\x82\xff\xff", bytes(2000)])
def test_damaged_signatures_are_none(signature: bytes, owner: KernelSigner) -> None:
    assert not OpensslCodeSignatures().verifies(signature, bytes(32), certificate_der(owner.certificate))


def test_a_missing_library_is_a_fault(kernel: bytes, owner: KernelSigner) -> None:
    image = parse_pe(kernel)
    check = OpensslCodeSignatures(("libnothing.so.1",))
    with pytest.raises(DeviceMissing, match="cannot load"):
        check.verifies(
            signatures(image, kernel)[0], authenticode_digest(image, kernel), certificate_der(owner.certificate)
        )


def test_keys_that_are_refused(
    sign: Callable[[bytes, KernelSigner], bytes], owner: KernelSigner, other: KernelSigner, folder: Path
) -> None:
    with pytest.raises(BadInput, match=r"is not the certificate of the key .*owner\.key"):
        KernelSigner(owner.key, other.certificate).check()
    public = folder / "public.key"
    public.write_bytes(Path(owner.key).read_bytes())
    public.chmod(0o640)
    with pytest.raises(RefusedByPolicy, match="other users have access to this private key"):
        sign(build_kernel(10), KernelSigner(str(public), owner.certificate))
    secret = folder / "secret.key"
    openssl("pkey", "-in", owner.key, "-aes256", "-passout", "pass:x", "-out", str(secret))
    secret.chmod(0o600)
    with pytest.raises(BadInput, match="has a passphrase"):
        sign(build_kernel(10), KernelSigner(str(secret), owner.certificate))
    with pytest.raises(BadInput, match="is no private key in PEM"):
        sign(build_kernel(10), KernelSigner(_private(folder, b"x"), owner.certificate))
    with pytest.raises(BadInput, match="is no certificate in PEM"):
        sign(build_kernel(10), KernelSigner(owner.key, owner.key))
    with pytest.raises(BadInput, match="is no private key in PEM"):  # whatever its mode is
        KernelSigner(owner.certificate, owner.certificate).check()
    for name, content in (("PRIVATE KEY", Path(owner.key).read_text()), ("CERTIFICATE", _pem_of(owner))):
        damaged = _private(folder, (content[:100] + "!" + content[130:]).encode())
        key, certificate = (damaged, owner.certificate) if name == "PRIVATE KEY" else (owner.key, damaged)
        with pytest.raises(BadInput, match="is damaged, or of an unknown kind"):
            KernelSigner(key, certificate).check()


def _pem_of(signer: KernelSigner) -> str:
    return Path(signer.certificate).read_text()


def _private(folder: Path, content: bytes) -> str:
    path = folder / "none.key"
    path.write_bytes(content)
    path.chmod(0o600)
    return str(path)


def test_the_command_says_who_signed(
    kernel: bytes, owner: KernelSigner, other: KernelSigner, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "norm_boot"
    path.write_bytes(kernel)
    assert main(["kernel", "info", str(path)]) == 0
    assert "build number: 7\nsigner:       CN=owner\n" in capsys.readouterr().out
    assert main(["kernel", "verify", str(path), "--cert", other.certificate, "--cert", owner.certificate]) == 0
    assert capsys.readouterr().out == f"{path}: accepted: signed with a certificate of db\n"
    assert main(["kernel", "verify", str(path), "--cert", other.certificate, "--json"]) == 1
    assert '"starts": false' in capsys.readouterr().out


def test_the_labs_key_is_private_and_made_once(folder: Path) -> None:
    cache, progress = Cache(str(folder / "lab")), BuildProgress(io.StringIO())
    signer = lab_signer(PROCESSES, cache, progress)
    signer.check()
    assert lab_signer(PROCESSES, cache, progress) == signer
