"""Parses entries of manufData.json that describe files to fetch."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.domain.errors import Problem
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.mfg.files import RemoteFile
from gprov.domain.mfg.urls import url_problem

_HEX = frozenset("0123456789abcdef")


def read_url(entry: JsonObject, key: str, *, required: bool = False) -> str:
    """An http or https URL, or ""."""
    url = entry.text(key, required=required)
    problem = url_problem(url) if url.strip() else None
    if problem:
        entry.problem(key, problem)
    return url


def read_file(entry: JsonObject, warnings: list[Problem]) -> RemoteFile:
    before = len(entry.problems)
    url = read_url(entry, "Src", required=True)
    sha1, sha256 = _digest(entry, "Sha1", 40), _digest(entry, "Sha256", 64)
    if not sha1 and not sha256 and len(entry.problems) == before:
        entry.problem("", "has neither Sha256 nor Sha1: the file could not be verified")
    elif sha1 and not sha256:
        warnings.append(Problem(f"{entry.path}.Sha1", "SHA-1 is not collision resistant: add Sha256"))
    return RemoteFile(url, sha1, sha256, entry.text("Dest") or None)


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
