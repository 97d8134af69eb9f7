"""Parses entries of manufData.json that describe files to fetch."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.urls import url_problem, with_scheme

_HEX = frozenset("0123456789abcdef")
# Where RECOVERY is mounted while gprovision provisions.
_EARLIER_MOUNT_POINT = "/mnt/recov/"
# ``CredentialEndpoint`` of gprovision's files: the server of ``LogEndpoint`` has the passwords.
_SAME_SERVER = "pblog"


def read_url(entry: JsonObject, key: str, *, required: bool = False) -> str:
    """An http or https URL, or ""."""
    url = entry.text(key, required=required)
    problem = url_problem(url) if url.strip() else None
    if problem:
        entry.problem(key, problem)
    return url


def read_endpoint(entry: JsonObject, key: str, readings: list[Problem], *, required: bool = False) -> str:
    """Base URL of a server, also of one that is written as ``HOST:PORT``; "" if there is none."""
    text = entry.text(key, required=required)
    url = with_scheme(text)
    if url != text:
        readings.append(Problem(f"{entry.path}.{key}", f"{text} is read as {url}"))
    problem = url_problem(url) if url.strip() else None
    if problem:
        entry.problem(key, f"{problem}; write http://HOST:PORT/ or HOST:PORT")
    return url


def read_credential_endpoint(entry: JsonObject, readings: list[Problem]) -> str:
    """Base URL of the server that has the passwords, "" for the server of ``LogEndpoint``."""
    key = "CredentialEndpoint"
    word = entry.text(key)
    if word.strip().lower() == _SAME_SERVER:
        readings.append(Problem(f"{entry.path}.{key}", f"{word} is read as the server of LogEndpoint"))
        return ""
    before = len(entry.problems)
    url = read_endpoint(entry, key, readings)
    if len(entry.problems) > before:
        entry.problem(key, f'for the server of LogEndpoint write "{_SAME_SERVER}", or leave the key out')
    return url


def read_file(entry: JsonObject, warnings: list[Problem], readings: list[Problem] | None = None) -> RemoteFile:
    before = len(entry.problems)
    url = read_url(entry, "Src", required=True)
    sha1, sha256 = _digest(entry, "Sha1", 40), _digest(entry, "Sha256", 64)
    if not sha1 and not sha256 and len(entry.problems) == before:
        entry.problem("", "has neither Sha256 nor Sha1: the file could not be verified")
    elif sha1 and not sha256:
        warnings.append(Problem(f"{entry.path}.Sha1", "SHA-1 is not collision resistant: add Sha256"))
    size = entry.integer("Size", minimum=1) if entry.has("Size") else None
    return RemoteFile(
        url=url, sha1=sha1, sha256=sha256, dest=_destination(entry, [] if readings is None else readings), size=size
    )


def _destination(entry: JsonObject, readings: list[Problem]) -> str | None:
    """``Dest`` relative to the root of RECOVERY, None if there is none. gprovision's files also write it with a leading
    slash, or below the mount point that RECOVERY has there."""
    text = entry.text("Dest")
    path = text.removeprefix(_EARLIER_MOUNT_POINT).lstrip("/")
    if path and path != text:
        readings.append(Problem(f"{entry.path}.Dest", f"{text} is read as {path} on RECOVERY"))
    return (path or text) or None


def read_into_folder(entries: Sequence[JsonObject], warnings: list[Problem]) -> tuple[RemoteFile, ...]:
    """Files for one temporary folder, stored under their own names, which must differ."""
    files = tuple(read_file(entry, warnings) for entry in entries)
    seen: dict[str, str] = {}
    for entry, file in zip(entries, files, strict=True):
        if file.url and not file.name:
            entry.problem("Src", "has no file name")
        elif file.name in (".", "..") or not file.name.isprintable() or "/" in file.name:
            entry.problem("Src", "has an invalid file name")
        elif file.name:
            first = seen.setdefault(file.name, entry.path)
            if first != entry.path:
                entry.problem("Src", f"has the same file name {file.name} as {first}")
    return files


def _digest(entry: JsonObject, key: str, length: int) -> str:
    digest = entry.text(key).lower()
    if digest and (len(digest) != length or not _HEX.issuperset(digest)):
        wrong = f"is {len(digest)} long" if len(digest) != length else "holds other characters"
        entry.problem(key, f"must be {length} hexadecimal digits, {wrong}")
    return digest
