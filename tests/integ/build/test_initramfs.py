"""The real initramfs of both flavours, unpacked and entered."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.spec import Flavor
from gprov.apps.unit.boot.loader import BOOT_IMAGE, CORE_IMAGE
from gprov.domain.boot.grub.install import Loader, check_files

PROCESSES = SystemProcesses()
CHECKOUT = Path(__file__).parents[3]
LARGEST = 20_000_000  # bytes
EVERY_MODULE = """
import os, sys
root = "/usr/lib/python%d.%d" % sys.version_info[:2]
failed = []
for folder, _, files in os.walk(root):
    for file in files:
        path = os.path.relpath(os.path.join(folder, file), root)
        name = path.rpartition(".")[0].replace("/", ".").removesuffix(".__init__")
        if file.endswith((".pyc", ".so")) and not name.endswith("__main__"):
            try:
                __import__(name)
            except Exception as exc:
                failed.append("%s: %r" % (name, exc))
print("\\n".join(failed))
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


def build(flavor: Flavor, output: Path, seed: str = "0") -> bytes:
    command = ("build", "initramfs", "--flavor", flavor, "--output", str(output))
    env = {"PYTHONHASHSEED": seed, "HOME": os.path.expanduser("~")}
    PROCESSES.run((sys.executable, "-m", "gprov.apps.host.cli.main", *command), cwd=str(CHECKOUT), env=env)
    return output.read_bytes()


@pytest.fixture(scope="module", params=list(Flavor))
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder with the unpacked initramfs."""
    folder = tmp_path_factory.mktemp(f"root-{request.param}")
    content = build(request.param, folder.with_suffix(".cpio.zst"))
    assert len(content) <= LARGEST
    raw = PROCESSES.run(("zstd", "-d", "-c"), stdin=content).output
    PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=raw, cwd=str(folder))
    return str(folder)


def inside(root: str, *command: str) -> str:
    return PROCESSES.run(("chroot", root, *command), env={"PATH": "/usr/sbin:/usr/bin"}).output.decode()


def test_same_bytes_from_another_process(tmp_path: Path) -> None:
    assert build(Flavor.NORMAL, tmp_path / "a", "1") == build(Flavor.NORMAL, tmp_path / "b", "2")


def test_every_module_can_be_imported(root: str) -> None:
    assert inside(root, "/usr/bin/python3.11", "-ISB", "-c", EVERY_MODULE) == "\n"


def test_libraries_are_found_by_short_name(root: str) -> None:
    code = """
import ctypes, ctypes.util
for name in ("udev", "blkid", "crypt", "c"):
    ctypes.CDLL(ctypes.util.find_library(name))
"""
    inside(root, "/usr/bin/python3.11", "-ISB", "-c", code)


# RFC 8032 section 7.1, TEST 2; and BLAKE2b, which signatures in minisign's format need.
_VERIFIES = """
import hashlib
from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
signature = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
verifier = LibcryptoVerifier()
print(verifier.verifies(key, signature, b"r"), verifier.verifies(key, signature, b"s"), hashlib.blake2b().digest_size)
"""


def test_signatures_are_verified(root: str) -> None:
    assert inside(root, "python3.11", "-ISBc", _VERIFIES) == "True False 64\n"


def test_certificates_are_there(root: str) -> None:
    code = """
import certifi, ssl
print(len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs()) > 50)
"""
    assert inside(root, "/usr/bin/python3.11", "-ISB", "-c", code) == "True\n"


def test_tools_run(root: str) -> None:
    image = f"{root}/tmp/image"
    Path(image).write_bytes(bytes(32 << 20))
    inside(root, "mkfs.ext4", "-q", "-L", "PRIMARY", "-O", "encrypt", "-m", "1", "/tmp/image")
    inside(root, "e2fsck", "-f", "-n", "/tmp/image")
    inside(root, "mkfs.fat", "-n", "ESP", "/tmp/image")
    inside(root, "fsck.fat", "-n", "/tmp/image")
    assert "--xattrs-include" in inside(root, "tar", "--help")
    assert inside(root, "sh", "-c", "echo $((6 * 7))") == "42\n"
    os.unlink(image)


def test_the_boot_loader_is_there(root: str) -> None:
    """What a BIOS unit puts onto its disks."""
    boot, core = (Path(root + path).read_bytes() for path in (BOOT_IMAGE, CORE_IMAGE))
    assert boot == Path("/usr/lib/grub/i386-pc/boot.img").read_bytes()
    check_files(Loader(boot, core))


def test_init_runs_the_app_of_the_flavor(root: str) -> None:
    init = Path(root, "init").read_text()
    assert init.startswith("#!/usr/bin/python3.11 -ISB\n")
    assert os.access(f"{root}/init", os.X_OK)
    assert "gprov.apps.init.main" in init


def test_only_the_provisioning_flavor_provisions(root: str) -> None:
    expected = "root-mfg" in root
    assert Path(root, "usr/lib/python3.11/gprov/apps/mfg/main.pyc").exists() is expected
