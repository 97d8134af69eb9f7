"""``recovery_history.json``: how often each image was restored and booted, and how often that failed.

Images are named without ``.upd``, most recently used first. All is bounded: the file lives for years.
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
    """Counts for one image; ``notes`` oldest first."""

    image: str
    imaging_attempts: int = 0
    imaging_failures: int = 0
    boot_attempts: int = 0
    boot_failures: int = 0
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> int:
        """What speaks against trying this image."""
        return self.imaging_failures + self.boot_failures


@dataclass(frozen=True, slots=True)
class History:
    """Results by image, the most recently used first. A value: each method returns the next one."""

    results: tuple[ImageResult, ...] = ()

    def result(self, name: str) -> ImageResult:
        """What is known about an image; all zero for one never seen."""
        return next((result for result in self.results if result.image == name), ImageResult(image=name))

    def failures(self, name: str) -> int:
        return self.result(name).failures

    def with_attempt(self, name: str) -> History:
        """A restore with this image begins."""
        old = self.result(name)
        return self._with(replace(old, imaging_attempts=old.imaging_attempts + 1))

    def with_failure(self, name: str, note: str) -> History:
        """The restore failed, for the reason in ``note``."""
        old = self.result(name)
        return self._with(_with_note(replace(old, imaging_failures=old.imaging_failures + 1), note))

    def with_rejection(self, name: str, note: str) -> History:
        """The image cannot be unpacked, for the reason in ``note``: it counts as failed so often that every other one
        is tried before it."""
        old = self.result(name)
        failures = max(old.imaging_failures, MAX_FAILURES) + 1
        return self._with(_with_note(replace(old, imaging_failures=failures), note))

    def with_success(self, name: str) -> History:
        """The restore succeeded: half of its earlier imaging failures are forgiven."""
        old = self.result(name)
        return self._with(replace(old, imaging_failures=old.imaging_failures // 2))

    def with_boot_results(self, name: str, attempts: int, confirmed: int, unconfirmed: int) -> History:
        """What an installed image tells before it is replaced: it was started so often, found good so often, and the
        last ``unconfirmed`` starts in a row were not. Each good one forgives half of the earlier boot failures."""
        old = self.result(name)
        failures = (old.boot_failures >> min(confirmed, 64)) + unconfirmed
        new = replace(old, boot_attempts=old.boot_attempts + attempts, boot_failures=failures)
        return self._with(_with_note(new, f"{unconfirmed} starts in a row without a good one") if unconfirmed else new)

    def _with(self, result: ImageResult) -> History:
        others = tuple(other for other in self.results if other.image != result.image)
        return History((result, *others)[:MAX_IMAGES])


def parse_history(data: bytes) -> History:
    """Raises BadInput; a restore then goes on with an empty history."""
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
    )


def _with_note(result: ImageResult, note: str) -> ImageResult:
    return replace(result, notes=(*result.notes, note[:MAX_NOTE_LENGTH])[-MAX_NOTES:])
