"""Texts of the program in Markdown."""

from __future__ import annotations

import re

_CODE = re.compile(r"(`+)(?:(?!`).)+?\1", re.DOTALL)


def escaped(text: str) -> str:
    """Plain text in which names of code may stand between backticks, as Markdown."""
    parts, end = [], 0
    for found in _CODE.finditer(text):
        parts += [_plain(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join((*parts, _plain(text[end:])))


def _plain(text: str) -> str:
    return re.sub(r"([\\*_\[\]])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))
