"""The lab's key for Secure Boot: one for all units, made once and kept in the cache. It signs the lab's kernels. Its
certificate is enrolled in the firmware of units with Secure Boot."""

from __future__ import annotations

import os
import ssl

from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.initramfs.signing import KernelSigner
from gprov.apps.host.lab.variable_store import enrolled_store
from gprov.domain.errors import BadInput, Problem, ToolMissing
from gprov.ports.process import Processes

_KIND, _KEY = "lab-keys", "secure-boot"
_PRIVATE_FOLDER = 0o700
_DAYS = "36500"


def lab_signer(processes: Processes, cache: Cache, progress: BuildProgress) -> KernelSigner:
    """Raises ToolMissing, ToolFailed."""
    with cache.lock(_KIND, lambda: progress.note("lab: waiting for the key of Secure Boot")):
        folder = cache.find(_KIND, _KEY) or cache.publish(_KIND, _KEY, lambda path: _make(processes, path))
    return KernelSigner(os.path.join(folder, "db.key"), os.path.join(folder, "db.pem"))


def _make(processes: Processes, folder: str) -> None:
    if processes.which("openssl") is None:
        raise ToolMissing("openssl", "apt-get install openssl")
    with os_errors_translated(folder):
        os.makedirs(folder, mode=_PRIVATE_FOLDER)
    files = ("-keyout", os.path.join(folder, "db.key"), "-out", os.path.join(folder, "db.pem"))
    kind = ("-newkey", "rsa:2048", "-nodes", "-sha256", "-days", _DAYS)
    processes.run(("openssl", "req", "-x509", *kind, "-subj", "/CN=gprov lab Secure Boot/", *files))


def enrolled_variables(empty: str, certificate: str) -> bytes:
    """Return the variable store of a unit with Secure Boot. ``empty``: path of OVMF's; ``certificate``: of a PEM file.
    Raises DeviceMissing, DeviceFault, BadInput."""
    return enrolled_store(read_file(empty), certificate_der(certificate))


def certificate_der(path: str) -> bytes:
    """The certificate in a PEM file. Raises DeviceMissing, DeviceFault, BadInput."""
    try:
        return ssl.PEM_cert_to_DER_cert(read_file(path).decode("ascii").strip())
    except ValueError as exc:
        raise BadInput(path, [Problem("", "is no certificate in PEM")]) from exc
