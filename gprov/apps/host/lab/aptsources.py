"""Selects the package sources of one Debian suite from the host's configuration of apt.

Formats: sources.list(5), one line per source ("deb [options] URI suite components") and deb822 stanzas. The project
names no mirror; the host's sources are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>\S.*)")
_FIELD = re.compile(r"(?P<name>[A-Za-z-]+):\s*(?P<value>.*)")


def sources_of(files: Mapping[str, str], suite: str) -> tuple[str, ...]:
    """Return one-line entries of the suite and its updates and security suites. ``files``: content by file name; the
    suffix determines the format. Third-party sources have other suites and are dropped."""
    found: dict[str, None] = {}
    for name, text in files.items():
        entries = _stanzas(text) if name.endswith(".sources") else _lines(text)
        found.update((entry, None) for of, entry in entries if of == suite or of.startswith((f"{suite}-", f"{suite}/")))
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of suite and entry."""
    for line in text.splitlines():
        match = _LINE.fullmatch(line.partition("#")[0].strip())
        if match:
            options = (match["options"] or "").split()
            yield match["suite"], _entry(options, match["uri"], match["suite"], match["components"].split())


def _stanzas(text: str) -> Iterator[tuple[str, str]]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        signed = fields.get("signed-by", "")
        # A key inside the stanza has several lines; the one-line format cannot express it.
        options = [f"signed-by={signed}"] if signed.startswith("/") else []
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield suite, _entry(options, uri, suite, fields.get("components", "").split())


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        match = _FIELD.fullmatch(line)
        if match:
            name = match["name"].lower()
            fields[name] = match["value"].strip()
        elif name and line[:1].isspace():
            fields[name] += f"\n{line.strip()}"
    return fields


def _entry(options: Iterable[str], uri: str, suite: str, components: Iterable[str]) -> str:
    words = ["deb", *([f"[{' '.join(options)}]"] if options else []), uri, suite, *components]
    return " ".join(words)
