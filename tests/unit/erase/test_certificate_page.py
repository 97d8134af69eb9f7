"""The printable page of a certificate, read with the standard library's HTML parser."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from typing_extensions import override

from gprov.domain.erase.certificate_page import CONTENT_SECURITY_POLICY, certificate_page
from gprov.domain.erase.report_making import ErasureFacts
from gprov.domain.errors import BadInput
from gprov.domain.formats.printable import printable_text
from tests.unit.erase.keys import signed_chain
from tests.unit.erase.outcomes import OVERWRITTEN, UNIT, any_facts, facts_of

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "b", "code", "pre", "section", "span"),
    *("table", "thead", "tbody", "tr", "th", "td", "ul", "li"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class"}
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=y>\u202e"


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    @override
    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@given(any_facts())
def test_no_content_becomes_markup(facts: ErasureFacts) -> None:
    reader = read(certificate_page(signed_chain(facts)[0].certificate))
    assert reader.tags <= TAGS
    assert reader.attributes <= ATTRIBUTES


def test_hostile_text_is_shown_as_text() -> None:
    disk = replace(OVERWRITTEN.disk, model=HOSTILE)
    facts = replace(
        facts_of(replace(OVERWRITTEN, disk=disk, errors=(HOSTILE,))),
        operator=HOSTILE,
        unit=replace(UNIT, serial=HOSTILE),
    )
    page = certificate_page(signed_chain(facts)[0].certificate)
    reader = read(page)
    assert reader.tags <= TAGS
    assert sum(printable_text(HOSTILE) in text for text in reader.texts) >= 4
    assert "\u202e" not in page


def test_the_page_states_what_is_authoritative_and_leaves_the_decision_open() -> None:
    first, second = signed_chain(facts_of(OVERWRITTEN), facts_of(OVERWRITTEN, missing=("disk 2",)))
    text = " ".join(read(certificate_page(second.certificate)).texts)
    for expected in (
        "Authoritative is the signed JSON file",
        hashlib.sha256(second.certificate).hexdigest(),
        hashlib.sha256(first.certificate).hexdigest(),
        "INCOMPLETE",
        "purge / clear",
        "ata-sanitize-block",
        "frozen by the firmware",
        "sectors that the drive has remapped",
        "is RECOVERY",
        "Left blank by gprov",
    ):
        assert expected in text


def test_what_has_no_serial_number_is_named_otherwise() -> None:
    left = replace(OVERWRITTEN.disk, vendor="", model="overlayblk", serial="", node="/dev/vdb")
    facts = replace(facts_of(OVERWRITTEN), unit=replace(UNIT, serial=""), out_of_scope=((left, "is RECOVERY"),))
    texts = read(certificate_page(signed_chain(facts)[0].certificate)).texts
    assert "overlayblk /dev/vdb" in texts
    assert texts.count("Erase certificate 1") == 2


def test_each_command_to_check_the_certificate_has_a_line() -> None:
    page = certificate_page(signed_chain(facts_of(OVERWRITTEN))[0].certificate)
    (shown,) = re.findall("<pre>(.*?)</pre>", page, re.DOTALL)
    assert shown.splitlines() == [
        (
            "openssl pkeyutl -verify -pubin -inkey factory.pem -rawin -in erasure-00000001.json"
            " -sigfile erasure-00000001.json.sig"
        ),
        "gprov erase verify-certificate erasure-00000001.json --key factory.pem",
    ]


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    page = certificate_page(signed_chain(facts_of(OVERWRITTEN))[0].certificate)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")


def test_what_is_no_certificate_has_no_page() -> None:
    with pytest.raises(BadInput):
        certificate_page(b"{}")
