"""Templates of QA documents: what is accepted is filled in, and everything else is refused with its line."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from gprov.apps.host.cli.qa_sample import RECORD
from gprov.domain.errors import BadInput
from gprov.domain.mfg.qa.document import qa_document
from gprov.domain.mfg.qa.page import STANDARD_PAGE
from gprov.domain.mfg.qa.template import BLOCKS, MAX_TEMPLATE, VALUES, parse_template


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_template("t.htm", text.encode())
    return [str(problem) for problem in caught.value.problems]


def filled(text: str) -> str:
    return qa_document(RECORD, parse_template("t.htm", text.encode()))


def test_values_and_blocks_are_put_in() -> None:
    text = filled("<title>{{ serial }}</title><h1>{{product}}</h1>{{disks}}{ {serial} }}")
    assert text.startswith("<title>SN-0042</title><h1>Box &lt;1&gt;</h1><table")
    assert text.endswith("</table>\n{ {serial} }}")


def test_the_standard_page_uses_every_block() -> None:
    assert all(f"{{{{{name}}}}}" in STANDARD_PAGE for name in BLOCKS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{serial}}\n{{serail}}", "line 2: unknown placeholder {{serail}}; known: values serial"),
        ("{{serial}}{{}}", "line 1: unknown placeholder {{}}"),
        ("{{serial}}\n\n{{.Serial}}", "line 3: unknown placeholder {{.Serial}}"),
        ("{{serial}}{{ oops", "line 1: {{ begins no placeholder"),
        ("{{disks}}{{serial}}\n{{disks}}", "line 2: {{disks}} stands in line 1 already"),
        ("<h1>no name</h1>", "names the unit nowhere"),
        ('{{serial}}<a href="{{product}}">', "line 1: {{product}} stands in a tag"),
        ("{{serial}}<a x='>' {{product}}>", "line 1: {{product}} stands in a tag"),
        ("{{serial}}<script>\nf('{{sku}}')</script>", "line 2: {{sku}} stands in a script or style"),
        ("{{serial}}<STYLE>{{sku}}</STYLE >", "{{sku}} stands in a script or style"),
        ("{{serial}}<!-- {{sku}} -->", "{{sku}} stands in a comment"),
        ("<title>{{disks}}</title>{{serial}}", "{{disks}} stands in a title"),
        ("{{serial}}" * 21, "has 21 placeholders of values; at most 20"),
        ("{{serial}}" + "x" * MAX_TEMPLATE, "characters; at most"),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    assert any(expected in problem for problem in problems(text)), problems(text)


def test_all_problems_are_reported_at_once() -> None:
    assert len(problems("{{a}}\n{{b}}\n<p {{serial}}>")) == 3


def test_a_template_that_is_not_utf8() -> None:
    with pytest.raises(BadInput, match="byte 3: is not UTF-8"):
        parse_template("t.htm", b"abc\xff")


class Places(HTMLParser):
    """Where the parser sees the mark: as text, or elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.in_text = 0
        self.elsewhere = 0
        self.inside = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elsewhere += "{{serial}}" in str(attrs) + tag
        self.inside = tag

    @override
    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    @override
    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style"):
            self.elsewhere += "{{serial}}" in data
        else:
            self.in_text += data.count("{{serial}}")

    @override
    def handle_comment(self, data: str) -> None:
        self.elsewhere += "{{serial}}" in data


PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        '<p title="',
        '">',
        "<p title='",
        "'>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        *("<", ">", "text ", "a < b ", "{{serial}}", "{{serial}}"),
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_accepted_placeholders_are_text_for_a_parser_of_html(pieces: list[str]) -> None:
    text = "".join((*pieces, "<!-- --></script></style><p>{{serial}}</p>"))
    try:
        parse_template("t.htm", text.encode())
    except BadInput:
        return
    places = Places()
    places.feed(text)
    places.close()
    assert places.elsewhere == 0


@given(st.text(max_size=200) | st.lists(PIECES | st.sampled_from([f"{{{{{name}}}}}" for name in VALUES])).map("".join))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        template = parse_template("t.htm", text.encode(errors="replace"))
    except BadInput:
        return
    assert len(template.parts) % 2 == 1
