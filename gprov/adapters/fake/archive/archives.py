"""Archives port of the simulated machine: real verification, unpacking into a simulated volume."""

from __future__ import annotations

import io
import lzma
import tarfile
from functools import lru_cache

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.paths import locate, read_file, require_attached
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.machine.writes import store
from gprov.domain.branding import Branding
from gprov.domain.errors import ContentRefused, DeviceFault, DeviceMissing, IntegrityFault
from gprov.domain.files import FileType
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.verify import check_stored as check_stored_uncached
from gprov.domain.image.verify import verify_image as verify_uncached
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.destructive.image_unpacker import ImageUnpacker

# Simulations read the same few images thousands of times. The hash of bytes is cached.
verify_image = lru_cache(maxsize=256)(verify_uncached)
check_stored = lru_cache(maxsize=256)(check_stored_uncached)
_decompressed = lru_cache(maxsize=64)(lzma.decompress)


class FakeArchives(Archives, ImageUnpacker):
    def __init__(self, machine: SimulatedMachine, branding: Branding | None = None) -> None:
        self._machine = machine
        self._branding = branding or Branding()
        self._stored: VerifiedImage | None = None  # the last image that was verified, if only as stored

    @override
    def verify(self, path: str, progress: ProgressReport, most: int) -> VerifiedImage:
        self._machine.begin_write(f"verify {path}")
        content = read_file(self._machine, path).content
        progress(0, len(content))
        self._stored = None
        image = verify_image(path, content, self._branding, most)
        progress(len(content), len(content))
        self._machine.verified.append(path)
        return image

    @override
    def verify_stored(self, expected: VerifiedImage, progress: ProgressReport, most: int) -> None:
        path = expected.path
        self._machine.begin_write(f"verify {path} as stored")
        content = read_file(self._machine, path).content
        progress(0, len(content))
        self._stored = None
        check_stored(expected, content, most)
        progress(len(content), len(content))
        self._stored = expected
        self._machine.verified.append(path)

    @override
    def extract(self, image: VerifiedImage, target: str, progress: ProgressReport) -> None:
        self._machine.begin_write(f"extract {image.path}")
        content = read_file(self._machine, image.path).content
        stored, self._stored = self._stored, None
        if stored == image:
            check_stored(image, content)
        elif verify_image(image.path, content, self._branding).digest != image.digest:
            raise IntegrityFault(image.path, "changed since it was verified")
        place = locate(self._machine, target)
        if place.node is None or place.node.type is not FileType.FOLDER:
            raise DeviceMissing(target, "cannot unpack: target is not a folder")
        if place.mount is not None and place.mount.read_only:
            raise DeviceFault(target, "read-only file system")
        require_attached(self._machine, place)
        volume, base = place.volume, place.inner.rstrip("/")
        with tarfile.open(fileobj=io.BytesIO(_decompressed(content)), mode="r:", ignore_zeros=True) as archive:
            for member in archive:
                data = archive.extractfile(member) if member.isreg() or member.islnk() else None
                text = data.read() if data is not None else member.linkname.encode()
                path = f"{base}/{member.name.lstrip('./')}"
                if path != f"{base}/":
                    node = Node(type=_type(member), content=text, mode=member.mode, uid=member.uid, gid=member.gid)
                    if volume.used + len(text) > volume.size:
                        raise ContentRefused("tar", f"{path}: Cannot write: No space left on device")
                    store(self._machine, volume, path, node, f"extract {target}{path}")
        self._machine.begin_write(f"extract {image.path}: under way")
        require_attached(self._machine, place)
        progress(len(content), len(content))


def _type(member: tarfile.TarInfo) -> FileType:
    if member.isdir():
        return FileType.FOLDER
    if member.issym():
        return FileType.SYMLINK
    return FileType.FILE if member.isreg() or member.islnk() else FileType.OTHER
