"""Small valid artifacts for simulated machines: a kernel file and an image in their real formats."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
from collections.abc import Mapping

from gprov.domain.boot.grub.install import SECTOR, Loader
from gprov.domain.boot.grub.menus import core_script
from gprov.domain.branding import Branding

_KERNEL_SIZE = 8192
_VERSION_OFFSET = 0x400
_PE_HEADER, _OPTIONAL_SIZE = 0x40, 112 + 6 * 8


def build_kernel(build_number: int, release: str = "6.1.0") -> bytes:
    """A bzImage header with a version string, without code. Source: Documentation/arch/x86/boot.rst."""
    image = bytearray(_KERNEL_SIZE)
    _add_pe_header(image)
    image[0x1F1] = 4  # setup sectors
    struct.pack_into("<I", image, 0x1F4, (_KERNEL_SIZE - (4 + 1) * SECTOR) // 16)  # size of the protected-mode part
    struct.pack_into("<H", image, 0x1FE, 0xAA55)
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x020F)
    struct.pack_into("<H", image, 0x20E, _VERSION_OFFSET - 0x200)
    version = f"{release} (gprov@simulation) #{build_number} SMP PREEMPT_DYNAMIC\0".encode()
    image[_VERSION_OFFSET : _VERSION_OFFSET + len(version)] = version
    return bytes(image)


def _add_pe_header(image: bytearray) -> None:
    """That of a kernel with an EFI stub, as far as signatures need it: one section behind the boot sector."""
    struct.pack_into("<2s58xI", image, 0, b"MZ", _PE_HEADER)
    struct.pack_into("<4sHHIIIHH", image, _PE_HEADER, b"PE\0\0", 0x8664, 1, 0, 0, 0, _OPTIONAL_SIZE, 0x206)
    optional = _PE_HEADER + 24
    struct.pack_into("<H", image, optional, 0x20B)
    struct.pack_into("<I", image, optional + 60, SECTOR)  # size of the headers
    struct.pack_into("<I", image, optional + 108, 6)  # number of data directories
    section = (b".text", 0, 0, len(image) - SECTOR, SECTOR, 0, 0, 0, 0, 0)
    struct.pack_into("<8sIIIIIIHHI", image, optional + _OPTIONAL_SIZE, *section)


def build_loader(branding: Branding | None = None) -> Loader:
    """GRUB's boot and core images with gprov's script in place of GRUB's code."""
    boot = bytearray(SECTOR)
    boot[0x66:0x68] = b"\xeb\x05"
    boot[0x1FE:] = b"\x55\xaa"
    core = bytearray(SECTOR + 0x20) + core_script(branding or Branding()).encode()
    sectors = -(-len(core) // SECTOR)
    struct.pack_into("<QHH", core, SECTOR - 12, 2, sectors - 1, 0x820)
    return Loader(bytes(boot), bytes(core))


def build_image(
    kernel: bytes, branding: Branding | None = None, extra: Mapping[str, bytes] | None = None, *, streams: int = 2
) -> bytes:
    """An image that a restore accepts (accounts, init, kernel), compressed with xz and SHA-256 in several streams.

    ``extra``: further files by path relative to the root.
    """
    names = branding or Branding()
    admin = names.admin
    files = {
        "etc/passwd": f"root:x:0:0:root:/root:/bin/sh\n{admin}:x:1000:1000::/home/{admin}:/bin/sh\n".encode(),
        "etc/group": f"root:x:0:\nshadow:x:42:\nsystemd-journal:x:101:\n{admin}:x:1000:\n".encode(),
        "etc/shadow": f"root:*:19000:0:99999:7:::\n{admin}:!:19000:0:99999:7:::\n".encode(),
        f"{names.real_init.lstrip('/')}": b"\x7fELF simulated init",
        f"boot/{names.boot_kernel}": kernel,
        **(extra or {}),
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o640 if name == "etc/shadow" else 0o755
            tar.addfile(info, io.BytesIO(content))
    content = archive.getvalue()
    step = -(-len(content) // streams)
    parts = (content[start : start + step] for start in range(0, len(content), step))
    return b"".join(lzma.compress(part, check=lzma.CHECK_SHA256, preset=0) for part in parts)
