"""Verify, then unpack: what fits into memory is decoded once, the rest twice."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.linux.archive.blocks import decode_block
from gprov.adapters.linux.archive.memory import available_memory, usable_cores
from gprov.adapters.linux.archive.ordered import OrderedDecoder
from gprov.adapters.linux.archive.reader import ImageFile
from gprov.adapters.linux.archive.unpack import TarFeed, require_folder, unpack_argv
from gprov.adapters.linux.archive.verification import Verification, Verified
from gprov.adapters.linux.system.os_errors import fault
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceFault, IntegrityFault
from gprov.domain.formats.image.xz_layout import XzLayout, read_layout
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import DecodingPlan, plan_decoding, require_at_most
from gprov.domain.image.wanted_members import wanted_members
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.destructive.image_unpacker import ImageUnpacker
from gprov.ports.process import Processes


class XzTarArchives(Archives, ImageUnpacker):
    """``memory_budget``: bytes of unpacked archive to keep at most between ``verify`` and ``extract`` (None: what the
    machine can spare). ``workers``: threads that decode (None: one for each core). ``accounts_folder``: /etc of a unit
    that runs from its initramfs. ACLs in an archive may hold names, and only the image's own accounts can tell who
    that is: its passwd and group are put there before it is unpacked. Nowhere else may this be set."""

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
        self._wanted = wanted_members(branding or Branding())
        self._accounts_folder = accounts_folder
        self._verified: Verified | None = None

    @override
    def verify(self, path: str, progress: ProgressReport, most: int | None = None) -> VerifiedImage:
        self._verified = None  # what it keeps in memory is in the way now
        self._verified = self._verify(path, progress, most)
        return self._verified.image

    @override
    def extract(self, image: VerifiedImage, target: str, progress: ProgressReport) -> None:
        require_folder(target)
        verified, self._verified = self._verified, None
        if verified is None or verified.image != image:
            # Verified elsewhere or too long ago: nothing is known of its blocks.
            verified = None
            verified = self._verify(image.path, progress)
            if verified.image.digest != image.digest:
                raise IntegrityFault(image.path, "has changed since it was verified")
        self._adopt_accounts(image)
        self._unpack(verified, target, progress)

    def _adopt_accounts(self, image: VerifiedImage) -> None:
        if self._accounts_folder:
            for name, content in (("passwd", image.files.passwd), ("group", image.files.group)):
                path = f"{self._accounts_folder}/{name}"
                try:
                    with open(path, "wb") as file:
                        file.write(content or b"")
                except OSError as exc:
                    raise fault(path, "cannot write", exc) from exc

    def _verify(self, path: str, progress: ProgressReport, most: int | None = None) -> Verified:
        with ImageFile(path) as file:
            file.forget_cached()
            layout = read_layout(path, file.size, file.read_at)
            require_at_most(path, layout, most)
            return Verification(file, layout, self._plan(path, layout), self._wanted, progress).run()

    def _unpack(self, verified: Verified, target: str, progress: ProgressReport) -> None:
        path, layout = verified.image.path, verified.layout
        first = verified.kept_blocks
        rest, digests = layout.blocks[first:], verified.digests[first:]
        plan = self._plan(path, layout)
        argv = unpack_argv(target)
        with (
            ImageFile(path) as file,
            self._processes.start(argv, feed=True) as child,
            # Begins to decode the rest while tar is still busy with what was kept.
            OrderedDecoder(
                lambda number: decode_block(file, rest[number], digests[number]), len(rest), plan.workers, plan.window
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

    def _plan(self, path: str, layout: XzLayout) -> DecodingPlan:
        available = available_memory()
        plan = plan_decoding(layout, self._workers or usable_cores(), available, self._budget)
        if plan.needed > available:
            need, have = plan.needed >> 20, available >> 20
            raise DeviceFault(path, f"decoding needs {need} MiB of memory, and there are only {have} MiB")
        return plan


def _feed_kept(verified: Verified, feed: TarFeed, decoder: OrderedDecoder, progress: ProgressReport) -> None:
    """Unpack from memory what verification kept there, giving the memory back on the way."""
    blocks = verified.layout.blocks[: verified.kept_blocks]
    total = sum(block.uncompressed_size for block in blocks)
    done = 0
    while verified.kept:
        data = verified.kept.popleft()
        feed.write(data)
        decoder.widen(len(data))
        done += len(data)
        progress(blocks[-1].end * done // total, verified.layout.size)
