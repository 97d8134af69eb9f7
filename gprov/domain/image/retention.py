"""Selects old images and logs to delete from RECOVERY.

These images are kept: the original (the oldest), the one just restored, those named by the caller, and the newest good
ones. If space is still missing, further images are deleted, the oldest first, but never the last good one. A rejected
image is not a good one, and is deleted only if space is missing: a later version may be able to unpack it. The same
holds for one that the owner of the unit does not allow, which is not the original either. Manifest and signature are
deleted with their image, and where there is no image. Files that are neither of these nor gprov's logs are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gprov.domain.image.companions import companions_of, image_of_companion
from gprov.domain.image.history import MAX_FAILURES, History
from gprov.domain.image.name import ImageName
from gprov.domain.log_files import log_order, stage_of

KEPT_IMAGES = 3
KEPT_LOGS = 20
KEPT_LOG_BYTES = 64 << 20
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """``name`` within its folder; ``size`` in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredImage:
    name: ImageName
    size: int


@dataclass(frozen=True, slots=True)
class Removal:
    """Name of a file within its folder, its size, and the reason for its removal."""

    name: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """``free``: free bytes; ``required``: bytes that must be free. ``protected``: file names to keep, with the image
    that was just restored. ``refused``: file names of images that the owner of the unit does not allow.
    ``companions``: manifests and signatures, of whatever image."""

    images: tuple[StoredImage, ...]
    partials: tuple[StoredFile, ...] = ()
    companions: tuple[StoredFile, ...] = ()
    history: History = field(default_factory=History)
    protected: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    free: int = 0
    required: int = 0


def space_for_update(images: Iterable[StoredImage]) -> int:
    """Bytes to keep free: size of the largest image plus 10 %."""
    return max((image.size for image in images), default=0) * 11 // 10


def plan_images(facts: ImageFacts) -> tuple[Removal, ...]:
    """Removals in the order of execution."""
    newest_first = sorted(facts.images, key=lambda image: image.name, reverse=True)
    allowed = [image for image in newest_first if image.name.filename not in facts.refused]
    good = [image for image in allowed if facts.history.result(image.name.stem).rank <= MAX_FAILURES]
    original = (allowed or newest_first)[-1:]
    kept = facts.protected | {image.name.filename for image in (*good[:KEPT_IMAGES], *original)}
    failed = [image for image in newest_first if image not in good]
    gone = [
        Removal(image.name.filename, image.size, _removal_reason(facts.history, image))
        for image in reversed(newest_first)
        if image.name.filename not in kept | facts.refused
        and (good or image not in failed)
        and not facts.history.result(image.name.stem).rejected
    ]
    never = facts.protected | {image.name.filename for image in (*good[:1], *original)}
    return _with_companions(facts, (*gone, *_free_space(facts, newest_first, good, gone, never)))


def _with_companions(facts: ImageFacts, gone: Sequence[Removal]) -> tuple[Removal, ...]:
    """After each image its manifest and signature; at the end those whose image is not there and not being
    downloaded."""
    sizes = {file.name: file.size for file in facts.companions}
    leaving = {removal.name for removal in gone}
    names = (image.name.filename for image in facts.images)
    staying = facts.protected | {name for name in names if name not in leaving}
    owners = staying | {file.name.removesuffix(PARTIAL) for file in facts.partials if file.name not in leaving}
    ordered: list[Removal] = []
    for removal in gone:
        ordered.append(removal)
        image = removal.name.removesuffix(PARTIAL)
        # An unfinished download may leave while the image stays, or the other way round.
        ordered += [
            Removal(name, sizes.pop(name), "its image is removed")
            for name in companions_of(image)
            if name in sizes and image not in owners
        ]
    ordered += [
        Removal(name, size, "its image is not there")
        for name, size in sizes.items()
        if not {image_of_companion(name), name} & owners
    ]
    return tuple(ordered)


def _removal_reason(history: History, image: StoredImage) -> str:
    failures = history.failures(image.name.stem)
    if failures > MAX_FAILURES:
        return f"failed {failures} times"
    return f"older than the {KEPT_IMAGES} newest good ones"


def _free_space(
    facts: ImageFacts,
    newest_first: Sequence[StoredImage],
    good: Sequence[StoredImage],
    gone: Sequence[Removal],
    never: frozenset[str],
) -> list[Removal]:
    """Remove unfinished downloads first, then bad images, then good ones, the oldest first. ``never``: the original,
    protected images, and the newest good one."""
    free = facts.free + sum(removal.size for removal in gone)
    already = {removal.name for removal in gone}
    reason = f"to have {facts.required >> 20} MiB free"
    candidates = [Removal(file.name, file.size, f"unfinished, {reason}") for file in facts.partials]
    oldest_first = [image for image in reversed(newest_first) if image.name.filename not in never | already]
    if good:
        oldest_first.sort(key=lambda image: image in good)
        candidates += [Removal(image.name.filename, image.size, reason) for image in oldest_first]
    chosen: list[Removal] = []
    for candidate in candidates:
        if free >= facts.required:
            break
        chosen.append(candidate)
        free += candidate.size
    return chosen


def plan_logs(
    files: Iterable[StoredFile], *, current: str = "", max_files: int = KEPT_LOGS, max_bytes: int = KEPT_LOG_BYTES
) -> tuple[Removal, ...]:
    """Remove the oldest logs beyond ``max_files`` of a stage or ``max_bytes`` in all. The newest of each stage and the
    current log are kept. Files without a log name are ignored."""
    logs = [(order, file) for file in files if (order := log_order(file.name)) is not None]
    logs.sort(key=lambda pair: (pair[0], pair[1].name), reverse=True)
    removals: list[Removal] = []
    counts: dict[str, int] = {}
    total = 0
    for _, file in logs:
        stage = stage_of(file.name)
        counts[stage] = counts.get(stage, 0) + 1
        protected = file.name == current or counts[stage] == 1
        if not protected and (counts[stage] > max_files or total + file.size > max_bytes):
            reason = f"of the logs of a stage at most {max_files} stay, and {max_bytes >> 20} MiB of all"
            removals.append(Removal(file.name, file.size, reason))
        else:
            total += file.size
    return tuple(reversed(removals))
