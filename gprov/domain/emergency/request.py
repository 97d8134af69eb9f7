"""Which of the emergency files on all volumes a restore uses, and the record that keeps it from being repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gprov.domain.boot.args import EmergencyPolicy
from gprov.domain.emergency.media import EmergencyFile
from gprov.domain.formats.json.reading import finish, read_object

RECORD_VERSION = 1
RECORD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class EmergencyRequest:
    """``images``: in the order in which they are tried; empty if only ``options`` request a restore (of RECOVERY's
    images). ``marks``: of all emergency files that were found."""

    images: tuple[EmergencyFile, ...]
    options: EmergencyFile | None
    marks: frozenset[str]

    @property
    def files(self) -> tuple[EmergencyFile, ...]:
        """The files that this restore may use."""
        return self.images or ((self.options,) if self.options is not None else ())

    def describe(self) -> str:
        first, *others = self.files
        more = f"; if it is not good: {', '.join(file.name for file in others)}" if others else ""
        return f"{first.describe()}{more}"


@dataclass(frozen=True, slots=True)
class Choice:
    """``request``: None if no file can be used. ``notes``: one sentence for each file that is not used."""

    request: EmergencyRequest | None
    notes: tuple[str, ...] = ()


def choose(files: Sequence[EmergencyFile], policy: EmergencyPolicy, done: Iterable[str] = ()) -> Choice:
    """The rule for several files and volumes. ``done``: marks of files that are ignored, since this unit was restored
    while they were plugged in, or since they were refused during this boot.

    Images come before restore options, and newer images before older ones; of two of the same name, the one on the
    volume whose device file comes first. Several files of restore options contradict each other: none is used.
    """
    ignored = frozenset(done)
    fresh = sorted((file for file in files if file.mark not in ignored), key=lambda file: (file.volume.node, file.name))
    named = [(file.image, file) for file in fresh if file.image is not None]
    named.sort(key=lambda pair: pair[0], reverse=True)
    images = [file for _, file in named]
    options = [file for file in fresh if file.image is None]
    notes: list[str] = []
    usable = None
    if options:
        usable, notes = _options(options, policy, with_image=bool(images))
    if policy is EmergencyPolicy.OFF or (not images and usable is None):
        return Choice(None, tuple(notes))
    marks = frozenset(file.mark for file in files)
    return Choice(EmergencyRequest(tuple(images), usable, marks), tuple(notes))


def _options(
    files: Sequence[EmergencyFile], policy: EmergencyPolicy, *, with_image: bool
) -> tuple[EmergencyFile | None, list[str]]:
    if policy is not EmergencyPolicy.ALL:
        reason = "restore options are not signed, and this unit trusts no unsigned ones"
    elif with_image:
        reason = "an emergency image was found, which is restored alone"
    elif len(files) > 1:
        reason = "there is more than one file of restore options: leave only one"
    else:
        return files[0], []
    return None, [f"{file.describe()} is not used: {reason}" for file in files]


def parse_record(source: str, data: bytes) -> frozenset[str]:
    """Marks in the record. Raises BadInput."""
    root = read_object(source, data)
    if root.integer("Version", required=True, minimum=1) > RECORD_VERSION:
        root.problem("Version", f"is newer than {RECORD_VERSION}")
    return finish(source, root, frozenset(root.texts("Marks")))


def serialise_record(marks: Iterable[str]) -> bytes:
    """Inverse of ``parse_record``."""
    document = {
        "_comment": "gprov: emergency files that were plugged in when this system was restored; they are ignored",
        "Version": RECORD_VERSION,
        "Marks": sorted(marks),
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")
