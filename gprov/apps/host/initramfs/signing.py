"""Signs kernels for Secure Boot, by sbsign of Debian's package sbsigntool.

A signature holds the time at which it was made, so that two of them over the same kernel differ. A signed kernel is
therefore kept in the cache: the same kernel and certificate give the same file as long as it is there.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from gprov.apps.host.initramfs.cache import Cache, content_key
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.domain.errors import BadInput, Problem, RefusedByPolicy, ToolMissing
from gprov.ports.process import Processes

FRAGMENT = "secure-boot"
_KIND = "signed-kernels"
_KEPT = 20
_SIGN = "sbsign"
_OTHERS = 0o077
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class KernelSigner:
    """Paths of PEM files: the private key, without a passphrase, and its certificate."""

    key: str
    certificate: str

    def check(self) -> None:
        """Raises DeviceMissing, DeviceFault; RefusedByPolicy for a key that others can read; BadInput for a file of
        another kind, and for a key and a certificate that are not of one pair."""
        key, certificate = read_file(self.key), read_file(self.certificate)
        if b"PRIVATE KEY-----" not in key:
            raise BadInput(self.key, [Problem("", "is no private key in PEM")])
        with os_errors_translated(self.key):
            mode = stat.S_IMODE(os.stat(self.key).st_mode)
        if mode & _OTHERS:
            raise RefusedByPolicy(f"{self.key}: other users have access to this private key ({mode:o}); chmod 600 it")
        if b"ENCRYPTED" in key:
            raise BadInput(self.key, [Problem("", "has a passphrase; the build cannot ask for it")])
        if b"BEGIN CERTIFICATE-----" not in certificate:
            raise BadInput(self.certificate, [Problem("", "is no certificate in PEM")])
        if self._public_of_key(key) != self._public_of_certificate(certificate):
            raise BadInput(self.certificate, [Problem("", f"is not the certificate of the key {self.key}")])

    def _public_of_key(self, content: bytes) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

        try:
            public = load_pem_private_key(content, None).public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise BadInput(self.key, [Problem("", "is damaged, or of an unknown kind")]) from exc
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def _public_of_certificate(self, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        from cryptography.x509 import load_pem_x509_certificate

        try:
            public = load_pem_x509_certificate(content).public_key()
            return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except ValueError as exc:
            raise BadInput(self.certificate, [Problem("", "is damaged, or of an unknown kind")]) from exc


def require_signing_tool(processes: Processes) -> None:
    """Raises ToolMissing."""
    if processes.which(_SIGN) is None:
        raise ToolMissing(_SIGN, "apt-get install sbsigntool")


def signed_program(
    processes: Processes, cache: Cache, progress: BuildProgress, program: str, signer: KernelSigner
) -> str:
    """Sign a program of UEFI, such as a kernel; return the path of the signed copy in the cache. Raises what
    ``KernelSigner.check`` raises, ToolMissing, ToolFailed.
    """
    signer.check()
    require_signing_tool(processes)
    key = content_key(read_file(program), read_file(signer.certificate))
    with cache.lock(_KIND, lambda: progress.note("signed kernel: waiting for another build to finish")):
        found = cache.find(_KIND, key)
        if found is None:
            with progress.phase("kernel: sign"):
                found = cache.publish(_KIND, key, lambda path: _sign(processes, program, signer, path))
            cache.keep_newest(_KIND, _KEPT)
        return found


def _sign(processes: Processes, program: str, signer: KernelSigner, target: str) -> None:
    names = ("--key", signer.key, "--cert", signer.certificate, "--output", target)
    processes.run((_SIGN, *names, program), timeout=_SECONDS)
