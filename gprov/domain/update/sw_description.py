"""``sw-description``, the first member of a bundle: what an update server reads of it.

Sources: SWUpdate's documentation, "SWUpdate: syntax and tags with the default parser"; libconfig's manual,
"Configuration Files", for strings. gooseBit reads ``version`` and ``hardware-compatibility``. A unit reads neither:
what it believes is in the signed manifest.
"""

from __future__ import annotations

from collections.abc import Sequence

from gprov.domain.image.name import ImageName

# Attributes by which gooseBit compares a unit with the bundles. Strings of "hardware-compatibility" that stand outside
# of a board's section are revisions of a board with the name "default", which a unit need not report.
REVISION_ATTRIBUTE = "hw_revision"
VERSION_ATTRIBUTE = "sw_version"

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def release_version(name: ImageName) -> str:
    """Version of an image for update servers: YEAR.MMDD.BUILD, three numbers without leading zeros. Schemas of
    SWUpdate and of semver put such versions into the order of ``ImageName``."""
    day = name.date
    return f"{day.year}.{100 * day.month + day.day}.{name.build}"


def sw_description(name: ImageName, platforms: Sequence[str]) -> bytes:
    """``platforms``: code names of units that the server shall offer the image to."""
    revisions = ", ".join(map(_quoted, platforms))
    lines = (
        "software =",
        "{",
        f"  version = {_quoted(release_version(name))};",
        f"  description = {_quoted(name.stem)};",
        f"  hardware-compatibility = [ {revisions} ];",
        "};",
    )
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(one) or (one if one >= " " else f"\\x{ord(one):02x}") for one in text) + '"'
