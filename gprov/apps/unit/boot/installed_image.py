"""Which image a system was installed from: the name of its disktag."""

from __future__ import annotations

from gprov.domain.errors import BadInput
from gprov.domain.image.name import SUFFIX, parse_image_name
from gprov.ports.files import Files

_DISKTAG = ".disktag"


def installed_image(files: Files, root: str, prefix: str) -> str:
    """Name of the image without ``.upd``, of the system mounted at ``root``; "" without a disktag, or with several.
    Raises DeviceFault."""
    stems = [stem for name in files.names(root) if (stem := _stem(name, prefix))]
    return stems[0] if len(stems) == 1 else ""


def _stem(name: str, prefix: str) -> str:
    """ "" for other files."""
    if not name.endswith(_DISKTAG):
        return ""
    try:
        return parse_image_name(name.removesuffix(_DISKTAG) + SUFFIX, prefix).stem
    except BadInput:
        return ""
