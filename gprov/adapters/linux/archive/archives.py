"""Verification and unpacking of images: unpacked data are kept in memory as far as they fit, the rest is decoded
twice."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.linux.archive.blocks import decode_block
from gprov.adapters.linux.archive.memory import available_memory, usable_cores
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.adapters.linux.archive.unpack import TarFeed, require_folder, unpack_argv
from gprov.adapters.linux.archive.verification import Verification, Verified
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.formats.image.xz_layout import XzLayout, read_layout
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import DecodingLimits, check_unpacked_size, decoding_limits
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.destructive.image_unpacker import ImageUnpacker
from gprov.ports.process import Processes


class XzTarArchives(Archives, ImageUnpacker):
    """``memory_budget``: bytes of unpacked archive to keep at most between ``verify`` and ``extract`` (None: the memory
    available). ``workers``: decoding threads (None: one for each core). ``accounts_folder``: /etc of a unit that runs
    from its initramfs. ACLs in an archive may hold names, which tar resolves there: before unpacking, the image's
    passwd and group are written to it. Set this only in an initramfs."""

    def __init__(
        self,
        processes: Processes,
        memory_budget: int | None = None,
        workers: int | None = None,
        branding: Branding | None = None,
        accounts_folder: str = "",
    ) -> None:
        self._processes = processes
        self._budget = memory_budget
        self._workers = workers
        self._captured_names = captured_names(branding or Branding())
        self._accounts_folder = accounts_folder
        self._verified: Verified | None = None

    @override
    def verify(self, path: str, progress: ProgressReport, most: int | None = None) -> VerifiedImage:
        self._verified = None  # releases its memory first
        self._verified = self._verify(path, progress, most)
        return self._verified.image

    @override
    def extract(self, image: VerifiedImage, target: str, progress: ProgressReport) -> None:
        require_folder(target)
        verified, self._verified = self._verified, None
        if verified is None or verified.image != image:
            # Verified elsewhere or before another image: the SHA-256 of its blocks is not available.
            verified = None
            verified = self._verify(image.path, progress)
            if verified.image.digest != image.digest:
                raise IntegrityFault(image.path, "changed since verification")
        self._install_accounts(image)
        self._unpack(verified, target, progress)

    def _install_accounts(self, image: VerifiedImage) -> None:
        if self._accounts_folder:
            for name, content in (("passwd", image.files.passwd), ("group", image.files.group)):
                path = f"{self._accounts_folder}/{name}"
                try:
                    with open(path, "wb") as file:
                        file.write(content or b"")
                except OSError as exc:
                    raise fault_from_oserror(path, "cannot write", exc) from exc

    def _verify(self, path: str, progress: ProgressReport, limit: int | None = None) -> Verified:
        with ImageFile(path) as file:
            file.forget_cached()
            layout = read_layout(path, file.size, file.read_at)
            check_unpacked_size(path, layout, limit)
            return Verification(file, layout, self._limits(path, layout), self._captured_names, progress).run()

    def _unpack(self, verified: Verified, target: str, progress: ProgressReport) -> None:
        path, layout = verified.image.path, verified.layout
        first = verified.kept_blocks
        rest, digests = layout.blocks[first:], verified.digests[first:]
        limits = self._limits(path, layout)
        argv = unpack_argv(target)
        with (
            ImageFile(path) as file,
            self._processes.start(argv, feed=True) as child,
            # Begins to decode the rest while tar unpacks the kept blocks.
            OrderedDecoder(
                lambda number: decode_block(file, rest[number], digests[number]),
                len(rest),
                limits.workers,
                limits.window,
            ) as decoder,
        ):
            feed = TarFeed(child, argv)
            _feed_kept(verified, feed, decoder, progress)
            for number, block in enumerate(rest):
                position = block.offset
                for piece in decoder.pieces(number):
                    feed.write(piece.data)
                    position += len(piece.raw)
                    progress(position, layout.size)
            feed.finish()
        progress(layout.size, layout.size)

    def _limits(self, path: str, layout: XzLayout) -> DecodingLimits:
        available = available_memory()
        limits = decoding_limits(layout, self._workers or usable_cores(), available, self._budget)
        if limits.needed > available:
            need, have = limits.needed >> 20, available >> 20
            raise DeviceFault(path, f"decoding needs {need} MiB of memory, only {have} MiB are available")
        return limits


def _feed_kept(verified: Verified, feed: TarFeed, decoder: OrderedDecoder, progress: ProgressReport) -> None:
    """Unpack the data that verification kept in memory, releasing it on the way."""
    blocks = verified.layout.blocks[: verified.kept_blocks]
    total = sum(block.uncompressed_size for block in blocks)
    done = 0
    while verified.kept:
        data = verified.kept.popleft()
        feed.write(data)
        decoder.extend_window(len(data))
        done += len(data)
        progress(blocks[-1].end * done // total, verified.layout.size)
