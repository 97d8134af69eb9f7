"""How a factory folder of gprovision becomes one of gprov: which of its files are needed, and their new URLs. Pure.

gprovision's web server publishes a folder whose layout is free: manufData.json names files by URLs that hold host and
port. Its log server (pbLogServer) has a bitcask database, and writes QA documents into a folder as SERIAL_qav.htm.
Documents name its gRPC port as ``LogEndpoint``, and the word pblog as ``CredentialEndpoint``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, unquote, urlsplit

from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.urls import url_problem

_PBLOG = "pblog"
_MOST_FOLDERS = 64  # of a URL that are compared: more take time, and no folder is so deep
_DOCUMENT = re.compile(r"(?P<serial>[!-~]{1,64})_qav\.html?")
_DATABASE = re.compile(r"[0-9]{9}\.data")


class JsonKind(Enum):
    MANUF = "manufData.json"
    PLATFORMS = "platform table"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that is published now. ``name``: its path below ``files/``; ``size`` in bytes; ``sha256`` in hex."""

    name: str
    size: int
    sha256: str


def json_kind(data: bytes) -> JsonKind:
    value = _read(data)
    keys = {key.lower() for key in value} if isinstance(value, dict) else set()
    if {"files", "validationdata"} <= keys:
        return JsonKind.MANUF
    return JsonKind.PLATFORMS if "variants" in keys else JsonKind.OTHER


def document_serial(name: str) -> str | None:
    """Serial number of the unit that a QA document is about, by its file's name; None for another file."""
    found = _DOCUMENT.fullmatch(name)
    return found["serial"] if found else None


def is_database(names: Collection[str]) -> bool:
    """Whether a folder with files of these names is the database of the log server."""
    return any(_DATABASE.fullmatch(name) for name in names)


def named_urls(data: bytes) -> list[str]:
    """URLs of all files in a manufData.json or a file with several levels, each once."""
    value = _read(data)
    table = [str(value[key]) for key in _spelled(value, "ApplianceJsonUrl")] if isinstance(value, dict) else []
    urls = [*(str(entry[key]) for entry in _entries(value) for key in _spelled(entry, "Src")), *table]
    return [url for url in dict.fromkeys(urls) if url_problem(url) is None]


def source_of(url: str, paths: Collection[str]) -> str | None:
    """Path of the file that was published at this URL: the one with as much of the URL's path at its end as possible.
    ``paths``: relative ones of all files. None without one, or with several equal ones."""
    parts = published_name(url).split("/")[-_MOST_FOLDERS:]
    for begin in range(len(parts)):
        end = "/".join(parts[begin:])
        fitting = [path for path in paths if path == end or path.endswith(f"/{end}")]
        exact = [path for path in fitting if path == end]
        if len(fitting) == 1 or exact:
            return (exact or fitting)[0]
        if fitting:
            return None
    return None


def published_name(url: str) -> str:
    """Path below ``files/`` for a file of this URL: the URL's path, without what leads elsewhere."""
    parts = unquote(urlsplit(url).path).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def rewritten(data: bytes, taken: Mapping[str, TakenFile], server: str) -> bytes:
    """The document with the server's URLs, and with sizes and SHA-256 of the files. ``taken``: by their earlier URL."""
    value = _read(data)
    if not isinstance(value, dict):
        return data
    for entry in _entries(value):
        for key in _spelled(entry, "Src"):
            found = taken.get(str(entry[key]))
            if found is not None:
                entry[key] = f"{server}/files/{quote(found.name)}"
                _set(entry, "Size", found.size)
                _set(entry, "Sha256", found.sha256)
    for key in _spelled(value, "ApplianceJsonUrl"):
        table = taken.get(str(value[key]))
        if table is not None:
            value[key] = f"{server}/files/{quote(table.name)}"
    _set(value, "LogEndpoint", f"{server}/")
    for key in _spelled(value, "CredentialEndpoint"):
        if str(value[key]).strip().lower() in ("", _PBLOG):
            del value[key]
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def kept_credential_endpoint(data: bytes) -> str:
    """``CredentialEndpoint`` that names a server of its own; "" without one."""
    value = _read(data)
    words = (
        [str(value[key]).strip() for key in _spelled(value, "CredentialEndpoint")] if isinstance(value, dict) else []
    )
    return next((word for word in words if word.lower() != _PBLOG), "")


def _entries(value: Json) -> Iterator[dict[str, Json]]:
    """Objects that describe a file, at any depth."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if _spelled(each, "Src"):
                yield each
            waiting += reversed(list(each.values()))
        elif isinstance(each, list):
            waiting += reversed(each)


def _spelled(entry: Mapping[str, Json], key: str) -> list[str]:
    """The key as it is spelled there: gprovision's reader does not regard case."""
    return [name for name, value in entry.items() if name.lower() == key.lower() and isinstance(value, str)]


def _set(entry: dict[str, Json], key: str, value: Json) -> None:
    for name in [name for name in entry if name.lower() == key.lower()]:
        entry[name] = value
        return
    entry[key] = value


def _read(data: bytes) -> Json:
    """None for what is not JSON."""
    try:
        value: Json = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
    return value
