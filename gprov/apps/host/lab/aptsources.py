"""Selects the package sources of one Debian suite from the host's configuration of apt.

Formats: sources.list(5), one line per source ("deb [options] URI suite components") and deb822 stanzas. The project
names no mirror; the host's sources are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>\S.*)")
_FIELD = re.compile(r"(?P<name>[A-Za-z-]+):\s*(?P<value>.*)")


def sources_of(files: Mapping[str, str], suite: str, installed: str = "") -> tuple[str, ...]:
    """Return one-line entries of the suite and its updates and security suites. ``files``: content by file name; the
    suffix determines the format. Third-party sources have other suites and are dropped. ``installed``: the host's own
    suite; if no entry has ``suite``, its entries are returned with the other name, since a mirror holds all suites."""
    found = _entries_of(files, suite, suite)
    return found or (_entries_of(files, installed, suite) if installed else ())


def _entries_of(files: Mapping[str, str], suite: str, wanted: str) -> tuple[str, ...]:
    """Return the entries of ``suite`` and the suites derived from it, with ``wanted`` in its place."""
    found: dict[str, None] = {}
    for name, text in files.items():
        entries = _stanzas(text) if name.endswith(".sources") else _lines(text)
        of_suite = (each for each in entries if re.match(rf"{re.escape(suite)}(?:[-/]|$)", each.suite))
        found.update((each.named(wanted + each.suite.removeprefix(suite)), None) for each in of_suite)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Entry:
    options: tuple[str, ...]
    uri: str
    suite: str
    components: tuple[str, ...]

    def named(self, suite: str) -> str:
        """Return the line of this entry with another suite."""
        options = [f"[{' '.join(self.options)}]"] if self.options else []
        return " ".join(["deb", *options, self.uri, suite, *self.components])


def _lines(text: str) -> Iterator[_Entry]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line.partition("#")[0].strip())
        if match:
            options, components = (match["options"] or "").split(), match["components"].split()
            yield _Entry(tuple(options), match["uri"], match["suite"], tuple(components))


def _stanzas(text: str) -> Iterator[_Entry]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        signed = fields.get("signed-by", "")
        # A key inside the stanza has several lines; the one-line format cannot express it.
        options = (f"signed-by={signed}",) if signed.startswith("/") else ()
        components = tuple(fields.get("components", "").split())
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield _Entry(options, uri, suite, components)


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
