"""Cells of CSV files that spreadsheet programs open.

Such a program takes a cell that begins with one of certain characters for a formula and runs it when the file is
opened. Values come from units, so these cells get an apostrophe in front, which it shows as text.
"""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """The text, or an apostrophe and the text. A text that begins with an apostrophe gets another one, so that
    ``plain_cell`` returns every text as it was."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain_cell(cell: str) -> str:
    """What ``safe_cell`` was given."""
    return cell.removeprefix("'")
