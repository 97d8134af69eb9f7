"""What is a command of a page, and whether it printed what the page shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integ.docs.blocks import Block, Kind, blocks_of, matches

PAGE = """Text

```sh
gprov simulate lifecycle
```

```text title="Output"
provisioned
…
```

```json title="acme/appliance.json"
{}
```

```json
{"an": "example"}
```

<!-- not run: needs a line -->

    gprov server run

<!-- run by: tests/integ/docs/test_blocks.py -->
```sh
gprov lab boot
```

<!-- typed: a secret (2 times) -->
```sh
gprov keys new a
```

1. An item

   with more text

        gprov in a list
"""


def test_blocks_of_all_kinds() -> None:
    assert blocks_of(PAGE) == (
        Block(kind=Kind.COMMANDS, line=3, text="gprov simulate lifecycle\n"),
        Block(kind=Kind.OUTPUT, line=7, text="provisioned\n…\n"),
        Block(kind=Kind.FILE, line=12, text="{}\n", name="acme/appliance.json"),
        Block(kind=Kind.NOT_RUN, line=22, text="gprov server run\n", reason="needs a line"),
        Block(kind=Kind.ELSEWHERE, line=25, text="gprov lab boot\n", reason="tests/integ/docs/test_blocks.py"),
        Block(kind=Kind.COMMANDS, line=30, text="gprov keys new a\n", typed=("a secret", "a secret")),
        Block(kind=Kind.UNEXPLAINED, line=38, text="gprov in a list\n"),
    )


@pytest.mark.parametrize(
    "page",
    [
        "    gprov indented\n",
        "```\ngprov in a fence\n```\n",
        "```console\n$ gprov\n```\n",
        "```bash\ngprov\n```\n",
        "```text\nsome text\ngprov lab\n```\n",
        "```text\n$ BUILD_NUMBER=1 gprov build kernel\n```\n",
    ],
)
def test_commands_that_are_neither_run_nor_explained(page: str) -> None:
    assert [block.kind for block in blocks_of(page)] == [Kind.UNEXPLAINED]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ('```text title="Output"\nx\n```\n', "output without commands"),
        ("<!-- typed: a -->\n```\ngprov\n```\n", "a comment without commands"),
        ('```json title="a"\n{}\n```\n```text title="Output"\nx\n```\n', "output without commands"),
        ("<!-- not run: left over -->\n\nText\n\n```sh\ntrue\n```\n", "a comment without commands"),
        ("```sh\ntrue\n", "does not end"),
    ],
)
def test_what_says_nothing_is_an_error(page: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        blocks_of(page)


def test_text_in_a_list_is_no_code() -> None:
    assert blocks_of("1. An item\n\n    that goes on, indented by four\n\n- another\n  line\n") == ()


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a  \nb\n", "a\nb", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("a … c\n", "a b b c\n", True),
        ("a … c\n", "a b\nc\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\nd\n", "a\nb\n", False),
        ("a\nb\n", "a\r\r\nb\r\n", True),
        ("a\nb\n", "a\n\nb\n", False),
        ("a.c\n", "abc\n", False),
        ("…\n", "", True),
        ("a\nb\n", "a\nx.upd: 50 %\nb\n", True),
        ("a\nb\n", "a\nx.upd: 50 % of it\nb\n", False),
    ],
)
def test_output(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


@given(st.text(alphabet="ab .…\\n\n"))
def test_any_output_is_itself(text: str) -> None:
    assert matches(text, text)
