"""Reads a branding file: ``Branding`` as a JSON object or a TOML table, one key per field.

Missing keys keep their default. All problems are collected. Unknown keys are problems: a misspelt key would leave a
default name on every unit.
"""

from __future__ import annotations

import re
from dataclasses import fields

from gprov.domain.branding import Branding
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.formats.json.toml import read_table
from gprov.domain.unit.nics import mac_prefix

# Names of single files or folders.
_NAMES = frozenset(("image_prefix", "flag_file", "boot_kernel", "provision_kernel", "log_folder", "emergency_prefix"))
_PATHS = frozenset(("config_folder", "real_init"))
_NO_NAMES = ("", ".", "..")
# They become part of account files, of kernel arguments and of host names, or an account of a BMC.
_WORDS = {
    "admin": re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}"),
    "bmc_user": re.compile(r"[!-~]{1,16}"),
    "environment_prefix": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "hostname_prefix": re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*"),
}
# Most bytes of a label: of ext4 (struct ext4_super_block, s_volume_name) and of FAT (BS_VolLab).
_LABELS = {"recovery_label": 16, "primary_label": 16, "boot_label": 16, "esp_label": 11}


def parse_branding(what: str, data: bytes) -> Branding:
    """``what``: the file's name; TOML if it ends in ``.toml``, else JSON. Raises BadInput with every problem."""
    root = read_table(what, data) if what.lower().endswith(".toml") else read_object(what, data)
    known = [field.name for field in fields(Branding)]
    for key in root.keys():
        if key not in known:
            root.problem(key, f"is not a branding key; known: {', '.join(known)}")
    names = {name: _text(root, name) for name in known if root.has(name)}
    return finish(what, root, Branding(**names))


def _text(root: JsonObject, name: str) -> str:
    noted = len(root.problems)
    text = root.text(name, required=True)
    problem = _problem(name, text) if len(root.problems) == noted else ""
    if problem:
        root.problem(name, problem)
    return text


def _problem(name: str, text: str) -> str:
    if not text.isprintable() or text != text.strip():
        return f"{text!r} has blanks around it or unprintable characters"
    if (name in _NAMES or name in _LABELS) and ("/" in text or text in _NO_NAMES):
        return f"must be a name without folders, is {text!r}"
    if name in _PATHS and (not text.startswith("/") or any(part in _NO_NAMES for part in text[1:].split("/"))):
        return f"must be an absolute path without . and .., is {text!r}"
    if name in _WORDS and not _WORDS[name].fullmatch(text):
        return f"must match {_WORDS[name].pattern}, is {text!r}"
    if len(text.encode()) > _LABELS.get(name, len(text.encode())):
        return f"must have at most {_LABELS[name]} bytes, {text!r} has {len(text.encode())}"
    if name == "mac_prefix" and mac_prefix(text) is None:
        return f"{text!r} is not a MAC prefix (like 56:78:90)"
    return ""
