"""A request of the running system for its next start: a factory restore, or a data erase.

``boot_request`` in the image's configuration folder on PRIMARY, lines ``KEY=VALUE``, unknown keys are ignored:

    request=restore          request=erase
    serial=SN-1              serial=SN-1
    image=latest             options=level:purge
    tries=0                  tries=0

``serial``: of the unit that may act on it. ``image``: latest, oldest, or the file name of an image on RECOVERY, which
is restored or nothing is. ``options``: as of ``DATA_ERASE_OPTIONS``.
``tries``: starts that have begun to act on it; a power cut before PRIMARY is changed leaves the request in force.

Written by the tools ``gprov-factory-restore`` and ``gprov-erase``, and by ``gprov-update``; a normal boot imports this
only if there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gprov.domain.boot.args import PreferredImage
from gprov.domain.errors import BadInput, Problem

# A request that this many starts have begun to act on is withdrawn.
MAX_TRIES = 3
_IMAGES = {image.value: image for image in (PreferredImage.LATEST, PreferredImage.OLDEST)}
_KINDS = ("restore", "erase")
_SUFFIX = ".upd"  # as domain.image.name, which a boot with another request need not import


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRequested:
    """``named``: file name of the only image to restore, "" for the one that ``image`` prefers."""

    serial: str
    image: PreferredImage = PreferredImage.LATEST
    named: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRequested:
    serial: str
    options: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class UnreadableRequest:
    """There is a file, but not what it asks for. ``reason``: for the log."""

    reason: str


BootRequest = RestoreRequested | EraseRequested


def parse_boot_request(source: str, data: bytes) -> BootRequest:
    """``source`` names the file. Raises BadInput with every problem."""
    problems: list[Problem] = []
    values: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        key, equals, value = line.partition("=")
        if not equals or key in values:
            problems.append(Problem(f"line {number}", "must be KEY=VALUE, each key once"))
        values[key] = value
    kind, serial, tries = (values.get(key, "") for key in ("request", "serial", "tries"))
    image = values.get("image", PreferredImage.LATEST.value)
    if kind not in _KINDS:
        problems.append(Problem("request", f"must be one of {', '.join(_KINDS)}, is {kind[:40]!r}"))
    if not serial:
        problems.append(Problem("serial", "is missing"))
    if not (tries.isascii() and tries.isdigit() and len(tries) < 10):
        problems.append(Problem("tries", f"must be a number, is {tries[:40]!r}"))
    named = image if _is_file_name(image) else ""
    if image not in _IMAGES and not named:
        expected = f"must be one of {', '.join(_IMAGES)}, or the name of an image"
        problems.append(Problem("image", f"{expected}, is {image[:40]!r}"))
    if problems:
        raise BadInput(source, problems)
    if kind == "erase":
        return EraseRequested(serial=serial, options=values.get("options", ""), tries=int(tries))
    preferred = PreferredImage.LATEST if named else _IMAGES[image]
    return RestoreRequested(serial=serial, image=preferred, named=named, tries=int(tries))


def serialise_boot_request(request: BootRequest) -> bytes:
    """Inverse of ``parse_boot_request``."""
    if isinstance(request, EraseRequested):
        kind, wish = "erase", f"options={request.options}"
    else:
        kind, wish = "restore", f"image={request.named or request.image.value}"
    return f"request={kind}\nserial={request.serial}\n{wish}\ntries={request.tries}\n".encode()


def with_try(request: BootRequest) -> BootRequest:
    """The request, of which one more start begins to act on it."""
    return replace(request, tries=request.tries + 1)


def _is_file_name(text: str) -> bool:
    return text.endswith(_SUFFIX) and "/" not in text and text.isprintable() and len(text) <= 255
