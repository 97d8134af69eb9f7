"""Verification and unpacking of images.

Without a trusted SHA-256, unpacked data are kept in memory as far as they fit, the rest is decoded twice. With one, the
file as stored is hashed, and its data are decoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from typing_extensions import override

from gprov.adapters.linux.archive.blocks import Piece, decode_again, decode_authentic
from gprov.adapters.linux.archive.memory import available_memory, usable_cores
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.adapters.linux.archive.stored import (
    AuthenticSource,
    RecordedReads,
    Sha256,
    StoredImage,
    StoredVerification,
    new_sha256,
)
from gprov.adapters.linux.archive.unpack import TarFeed, require_folder, unpack_argv
from gprov.adapters.linux.archive.verification import Verification, Verified
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.formats.image.tar_fields import BLOCK, ZERO_BLOCK
from gprov.domain.formats.image.xz_layout import XzLayout, read_layout
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import (
    DecodingLimits,
    authentic_limits,
    check_authentic_layout,
    check_authentic_size,
    check_unpacked_size,
    decoding_limits,
)
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.destructive.image_unpacker import ImageUnpacker
from gprov.ports.process import Processes


class XzTarArchives(Archives, ImageUnpacker):
    """``memory_budget``: bytes of the image to keep at most between verification and ``extract`` (None: the memory
    available). ``workers``: decoding threads (None: one for each core). ``accounts_folder``: /etc of a unit that runs
    from its initramfs. ACLs in an archive may hold names, which tar resolves there: before unpacking, the image's
    passwd and group are written to it. Set this only in an initramfs. ``sha256``: what ``verify_stored`` hashes
    with."""

    def __init__(
        self,
        processes: Processes,
        memory_budget: int | None = None,
        workers: int | None = None,
        branding: Branding | None = None,
        accounts_folder: str = "",
        sha256: Callable[[], Sha256] = new_sha256,
    ) -> None:
        self._processes = processes
        self._budget = memory_budget
        self._workers = workers
        self._captured_names = captured_names(branding or Branding())
        self._accounts_folder = accounts_folder
        self._sha256 = sha256
        self._verified: Verified | StoredImage | None = None

    @override
    def verify(self, path: str, progress: ProgressReport, most: int) -> VerifiedImage:
        self._verified = None  # releases its memory first
        self._verified = verified = self._verify(path, progress, most)
        return verified.image

    @override
    def verify_stored(self, expected: VerifiedImage, progress: ProgressReport, most: int) -> None:
        self._verified = None
        path = expected.path
        with ImageFile(path) as file:
            check_authentic_size(expected, file.size)
            file.forget_cached()
            reads = RecordedReads(file)
            layout = read_layout(path, file.size, reads.read_at)
            check_authentic_layout(expected, layout, most)
            keep = self._authentic_limits(path, layout).keep
            self._verified = StoredVerification(file, reads, keep, self._sha256).run(expected, layout, progress)

    @override
    def extract(self, image: VerifiedImage, target: str, progress: ProgressReport) -> None:
        require_folder(target)
        verified, self._verified = self._verified, None
        if verified is None or verified.image != image:
            # Verified elsewhere or before another image: the SHA-256 of its blocks is not available.
            verified = None
            verified = self._verify(image.path, progress, image.unpacked)
            if verified.image.digest != image.digest:
                raise IntegrityFault(image.path, "changed since verification")
        self._install_accounts(image)
        if isinstance(verified, StoredImage):
            self._unpack_authentic(verified, target, progress)
        else:
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

    def _verify(self, path: str, progress: ProgressReport, most: int) -> Verified:
        with ImageFile(path) as file:
            file.forget_cached()
            layout = read_layout(path, file.size, file.read_at)
            check_unpacked_size(path, layout, most)
            return Verification(file, layout, self._limits(path, layout), self._captured_names, progress).run()

    def _unpack(self, verified: Verified, target: str, progress: ProgressReport) -> None:
        path, layout = verified.image.path, verified.layout
        first = verified.kept_blocks
        rest, digests = layout.blocks[first:], verified.digests[first:]
        limits = self._limits(path, layout)
        argv = unpack_argv(target, acls=verified.image.has_acls)
        with (
            ImageFile(path) as file,
            self._processes.start(argv, feed=True) as child,
            # Begins to decode the rest while tar unpacks the kept blocks.
            OrderedDecoder(
                lambda number: decode_again(file, rest[number], digests[number]),
                len(rest),
                limits.workers,
                limits.window,
            ) as decoder,
        ):
            feed = TarFeed(child, argv)
            _feed_kept(verified, feed, decoder, progress)
            _feed_blocks(len(rest), feed, decoder, lambda done: progress(done, layout.size))
            feed.finish()
        progress(layout.size, layout.size)

    def _unpack_authentic(self, stored: StoredImage, target: str, progress: ProgressReport) -> None:
        path, layout = stored.image.path, stored.layout
        limits = self._authentic_limits(path, layout)
        argv = unpack_argv(target, acls=stored.image.has_acls)
        with ImageFile(path) as file:
            source = AuthenticSource(file, stored)

            def decode(number: int) -> Iterator[Piece]:
                return decode_authentic(source, layout.blocks[number])

            with (
                self._processes.start(argv, feed=True) as child,
                OrderedDecoder(decode, len(layout.blocks), limits.workers, limits.window) as decoder,
            ):
                feed = TarFeed(child, argv)
                end = _feed_blocks(len(layout.blocks), feed, decoder, lambda done: progress(done, layout.size))
                if end != ZERO_BLOCK:
                    raise IntegrityFault(path, "does not end with the end mark of an archive")
                feed.finish()
        progress(layout.size, layout.size)

    def _limits(self, path: str, layout: XzLayout) -> DecodingLimits:
        available = available_memory()
        limits = decoding_limits(layout, self._workers or usable_cores(), available, self._budget)
        return _possible(path, limits, available)

    def _authentic_limits(self, path: str, layout: XzLayout) -> DecodingLimits:
        available = available_memory()
        limits = authentic_limits(layout, self._workers or usable_cores(), available, self._budget)
        return _possible(path, limits, available)


def _possible(path: str, limits: DecodingLimits, available: int) -> DecodingLimits:
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


def _feed_blocks(count: int, feed: TarFeed, decoder: OrderedDecoder, progress: Callable[[int], None]) -> bytes:
    """Unpack what ``decoder`` decodes; returns the last bytes, as many as a block of tar has. ``progress`` gets offsets
    in the file."""
    last = b""
    for number in range(count):
        for piece in decoder.pieces(number):
            feed.write(piece.data)
            last = (last + piece.data[-BLOCK:])[-BLOCK:]
            progress(piece.end)
    return last
