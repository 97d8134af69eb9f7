"""Markdown as the repository has it (CommonMark with tables), in the dialect of the program that makes the site.

Python-Markdown counts the indentation of lists in steps of four. In the repository, what belongs to an item is indented
by the width of its mark: two columns behind a dash, three behind ``1.``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_STEP = 4
_ITEM = re.compile(r"(?P<indent> *)(?P<mark>[-*+]|\d{1,9}[.)])(?P<gap> +)(?=\S)")
_FENCE = re.compile(r" *(```+|~~~+)")


@dataclass(slots=True)
class _Lists:
    """``columns``: where the text of each open item begins, outermost first."""

    columns: list[int] = field(default_factory=list)

    def enter(self, indent: int) -> None:
        """Close the items that a line with this indentation does not belong to."""
        while self.columns and indent < self.columns[-1]:
            self.columns.pop()

    def indented(self, indent: int) -> str:
        """Indentation of a line in the other dialect."""
        inside = self.columns[-1] if self.columns else 0
        return " " * (_STEP * len(self.columns) + indent - inside)


def converted(text: str) -> str:
    """The same document. Only indentation changes."""
    lists, lines, fence = _Lists(), [], ""
    after_blank = True
    for line in text.split("\n"):
        if not line.strip():
            lines.append("")
            after_blank = True
            continue
        indent = len(line) - len(line.lstrip())
        found = _FENCE.match(line)
        if fence:
            lines.append(lists.indented(max(indent, lists.columns[-1] if lists.columns else 0)) + line.lstrip())
            if found and found[1].startswith(fence):
                fence = ""
            continue
        if after_blank or _ITEM.match(line):
            lists.enter(indent)
        inside = lists.columns[-1] if lists.columns else 0
        item = _ITEM.match(line) if indent - inside < _STEP else None
        lines.append(lists.indented(indent) + line.lstrip())
        if item:
            lists.columns.append(len(item[0]))
        elif found:
            fence = found[1]
        after_blank = False
    return "\n".join(lines)
