"""``recovery_history.json``: numbers of restores, boots and failures of each image.

Images are named without ``.upd``, most recently used first. All sizes are bounded, since the file is kept for years.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object

MAX_IMAGES = 50
# An image with more failures than this is tried after all others.
MAX_FAILURES = 5
MAX_NOTES = 20
MAX_NOTE_LENGTH = 300
_SOURCE = "recovery history"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """Counts for one image; ``notes`` oldest first. ``rejected``: a tool refused its content at its last restore. It is
    written as ``Rejected``, only if true: other readers of the file ignore unknown keys."""

    image: str
    imaging_attempts: int = 0
    imaging_failures: int = 0
    boot_attempts: int = 0
    boot_failures: int = 0
    notes: tuple[str, ...] = ()
    rejected: bool = False

    @property
    def failures(self) -> int:
        """Failures of both kinds; images with many are tried last."""
        return self.imaging_failures + self.boot_failures

    @property
    def rank(self) -> int:
        """The failures as the order of images counts them: a rejected image counts as one over the limit."""
        return max(self.failures, MAX_FAILURES + 1) if self.rejected else self.failures


@dataclass(frozen=True, slots=True)
class History:
    """Results by image, the most recently used first. Immutable: each method returns a new history."""

    results: tuple[ImageResult, ...] = ()

    def result(self, name: str) -> ImageResult:
        """Results of an image; all zero for an unknown one."""
        return next((result for result in self.results if result.image == name), ImageResult(image=name))

    def failures(self, name: str) -> int:
        return self.result(name).failures

    def with_attempt(self, name: str) -> History:
        """Count the start of a restore with this image."""
        old = self.result(name)
        return self._with(replace(old, imaging_attempts=old.imaging_attempts + 1))

    def with_failure(self, name: str, note: str) -> History:
        """Count a failed restore, with the reason in ``note``."""
        old = self.result(name)
        return self._with(_with_note(replace(old, imaging_failures=old.imaging_failures + 1), note))

    def with_rejection(self, name: str, note: str) -> History:
        """Count a failed restore of an image whose content a tool refused, with the reason in ``note``: until a restore
        of it succeeds, all other images are tried first."""
        failed = self.with_failure(name, note)
        return failed._with(replace(failed.result(name), rejected=True))

    def with_note(self, name: str, note: str) -> History:
        return self._with(_with_note(self.result(name), note))

    def with_success(self, name: str) -> History:
        """Record a successful restore: the number of imaging failures is halved, and a rejection ends."""
        old = self.result(name)
        return self._with(replace(old, imaging_failures=old.imaging_failures // 2, rejected=False))

    def with_boot_results(self, name: str, attempts: int, confirmed: int, unconfirmed: int) -> History:
        """Add the boot counts of the installed image before it is replaced: boot attempts, confirmed boots, and
        consecutive unconfirmed boots at the end. Each confirmed boot halves the earlier boot failures."""
        old = self.result(name)
        failures = (old.boot_failures >> min(confirmed, 64)) + unconfirmed
        new = replace(old, boot_attempts=old.boot_attempts + attempts, boot_failures=failures)
        return self._with(_with_note(new, f"{unconfirmed} starts in a row without a good one") if unconfirmed else new)

    def _with(self, result: ImageResult) -> History:
        others = tuple(other for other in self.results if other.image != result.image)
        return History((result, *others)[:MAX_IMAGES])


def parse_history(data: bytes) -> History:
    """Raises BadInput; a restore then continues with an empty history."""
    root = read_object(_SOURCE, data)
    results: dict[str, ImageResult] = {}
    for entry in root.objects("ImageResults"):
        result = _result(entry)
        results.setdefault(result.image, result)
    return finish(_SOURCE, root, History(tuple(results.values())[:MAX_IMAGES]))


def serialise_history(history: History) -> bytes:
    """Inverse of ``parse_history``."""
    entries = [
        {
            "Image": result.image,
            "ImagingAttempts": result.imaging_attempts,
            "ImagingFailures": result.imaging_failures,
            "BootAttempts": result.boot_attempts,
            "BootFailures": result.boot_failures,
            "Notes": list(result.notes),
            **({"Rejected": True} if result.rejected else {}),
        }
        for result in history.results
    ]
    return (json.dumps({"ImageResults": entries}, indent=1) + "\n").encode("ascii")


def _result(entry: JsonObject) -> ImageResult:
    return ImageResult(
        image=entry.text("Image", required=True),
        imaging_attempts=entry.integer("ImagingAttempts", minimum=0),
        imaging_failures=entry.integer("ImagingFailures", minimum=0),
        boot_attempts=entry.integer("BootAttempts", minimum=0),
        boot_failures=entry.integer("BootFailures", minimum=0),
        notes=tuple(note[:MAX_NOTE_LENGTH] for note in entry.texts("Notes")[-MAX_NOTES:]),
        rejected=entry.boolean("Rejected"),
    )


def _with_note(result: ImageResult, note: str) -> ImageResult:
    return replace(result, notes=(*result.notes, note[:MAX_NOTE_LENGTH])[-MAX_NOTES:])
