"""Schema of a freeze specification, ``initramfs.toml``."""

from __future__ import annotations

from gprov.apps.host.initramfs.spec import Flavor, parse_spec
from gprov.domain.factory.fields import Schema
from gprov.domain.formats.json.value import Json
from tools.schemas.formats import Rule
from tools.schemas.parts import END, document, items, text

_ABSOLUTE: Schema = {"pattern": "^/"}
_MODE = "0?[0-7]{1,4}"


def _texts(means: str) -> Schema:
    return {"description": means, **items(text())}


def _table(means: str, value: Schema, *, absolute: bool = False) -> Schema:
    names: Schema = {"propertyNames": _ABSOLUTE} if absolute else {}
    return {"description": means, "type": "object", "additionalProperties": value, **names}


_KEYS: dict[str, Json] = {
    "start": {"description": "module:function that /init runs", **text()},
    "modules": _texts("modules that are imported by name at run time"),
    "packages": _texts("packages that are taken whole"),
    "exclude": _texts("modules that are left out"),
    "prefer_source": _texts("packages of which compiled modules are left out"),
    "data": _texts("data files, relative to a folder of Python's path"),
    "boot_modules": _texts("modules that are in one file as well, for a faster start"),
    "applets": _texts("programs of which each applet becomes a command"),
    "usb_names": _texts("hwdb files of udev that become the database of lsusb"),
    "loader": _texts("modules of GRUB's core image"),
    "replace": _table("module and file that replaces it", text()),
    "programs": _table("program and Debian package", text()),
    "libraries": _table("library and Debian package", text()),
    "libraries_32": _table("32-bit library and Debian package", text()),
    "databases": _table("path and Debian package", text(), absolute=True),
    "copies": _table("path, and file or folder relative to this file", text(), absolute=True),
    "folders": _table("path and octal permissions", text(f"^{_MODE}{END}"), absolute=True),
    "files": _table("path and content", text(), absolute=True),
    "scripts": _table("path and content of an executable file", text(), absolute=True),
    "links": _table("path and target", text(), absolute=True),
    "devices": _table(
        'path, and kind, numbers and permissions ("c 5 1 0600")',
        text(f"^\\s*[bc]\\s+[0-9]{{1,7}}\\s+[0-9]{{1,7}}\\s+{_MODE}\\s*{END}"),
        absolute=True,
    ),
}
_TABLE: Schema = {"type": "object", "properties": _KEYS, "additionalProperties": False}
_TABLES = ("common", *Flavor)
FREEZE = document(
    "initramfs.toml",
    "The freeze specification: content of an initramfs; the file is TOML. docs/how-to/build.md",
    {
        "type": "object",
        "properties": {name: {"$ref": "#/$defs/table"} for name in _TABLES},
        "required": [*_TABLES],
        "additionalProperties": False,
    },
    definitions={"table": _TABLE},
)
FREEZE_BEYOND = (Rule("start is module:function, in one table of each flavour", r'^start: must be "module:function'),)


def parse_flavours(data: bytes) -> None:
    """As each flavour that has tables of its own. Raises BadInput."""
    for flavor in (Flavor.NORMAL, Flavor.MFG_BURN_IN):
        parse_spec(data.decode(), flavor)
