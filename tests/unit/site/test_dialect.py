"""The repository's Markdown in the dialect of the site."""

from __future__ import annotations

import pytest

from tools.site.dialect import converted
from tools.site.links import moved


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text\nmore\n", "text\nmore\n"),
        ("- a\n  b\n- c\n", "- a\n    b\n- c\n"),
        ("- a\n  - b\n    c\n    - d\n- e\n", "- a\n    - b\n        c\n        - d\n- e\n"),
        ("1. a\n   b\n\n       code\n\n   c\n", "1. a\n    b\n\n        code\n\n    c\n"),
        ("1. a\n   - b\n2. c\n", "1. a\n    - b\n2. c\n"),
        ("- a\n\nend\n", "- a\n\nend\n"),
        ("- a\n\n    code\n", "- a\n\n      code\n"),
        ("    code\n    - no item\n", "    code\n    - no item\n"),
        ("```json\n{\n  - 1\n}\n```\n- a\n  b\n", "```json\n{\n  - 1\n}\n```\n- a\n    b\n"),
        ("10. a\n    b\n", "10. a\n    b\n"),
        ("a - b\n* c\n  d\n", "a - b\n* c\n    d\n"),
    ],
)
def test_indentation(text: str, expected: str) -> None:
    assert converted(text) == expected


def test_links_follow_a_document() -> None:
    text = "[a](../x.md#h) [b](#h) [c](https://x/y) [d](files/) ![e](p.svg)\n"
    places = {"docs/x.md": "x.md", "docs/a/files": "project/files/docs/a/files", "docs/a/p.svg": "a/p.svg"}
    assert moved(text, "docs/a/b.md", "a/b.md", places.__getitem__) == (
        "[a](../x.md#h) [b](#h) [c](https://x/y) [d](../project/files/docs/a/files) ![e](p.svg)\n"
    )
