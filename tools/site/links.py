"""Links of documents that move: relative to another folder, or to files that get another place."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

_LINK = re.compile(r"\]\((?P<path>[^)#\s]*)(?P<heading>#[^)\s]*)?\)")
_CODE = re.compile(r"^(?: {4}.*|```.*?^```)$|`[^`]*`", re.MULTILINE | re.DOTALL)
_OTHER_SITE = re.compile(r"[a-z][a-z0-9+.-]*:")


def moved(text: str, source: str, target: str, place: Callable[[str], str]) -> str:
    """The text of ``source`` with links that are right in ``target``. Paths are relative to the root; ``place``: where
    a linked file of the repository is then."""

    def relink(match: re.Match[str]) -> str:
        path, heading = match["path"], match["heading"] or ""
        if not path or _OTHER_SITE.match(path):
            return match[0]
        linked = place(os.path.normpath(os.path.join(os.path.dirname(source), path)))
        return f"]({os.path.relpath(linked, os.path.dirname(target) or '.')}{heading})"

    return _LINK.sub(relink, text)


def linked_files(text: str, source: str) -> list[str]:
    """Paths, relative to the root, of the files and folders that a document links to."""
    found = (match["path"] for match in _LINK.finditer(text))
    paths = (path for path in found if path and not _OTHER_SITE.match(path))
    return [os.path.normpath(os.path.join(os.path.dirname(source), path)) for path in paths]
