"""Requests of a unit other than events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.events import ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.messages import encode, to_bytes
from gprov.domain.factory.requests import (
    REQUESTS,
    CodeNameReport,
    CredentialRequest,
    Document,
    MacReport,
    NamedMac,
    Request,
    Sender,
    StateReport,
    decode,
)
from gprov.domain.factory.syntax import MAX_DOCUMENT

SESSION = "0123456789abcdef" * 2
SENDER = Sender("/6XQ2PN2/CN 0.1", SESSION)  # the form of serials on Dell's boards
printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


@given(printable, st.sampled_from(ProcessState))
def test_state(serial: str, state: ProcessState) -> None:
    sender = Sender(serial, SESSION)
    assert decode(StateReport, encode(StateReport(sender, state))) == StateReport(sender, state)


@given(printable)
def test_code_name(name: str) -> None:
    assert decode(CodeNameReport, encode(CodeNameReport(SENDER, name))) == CodeNameReport(SENDER, name)


def test_macs_keep_their_order_and_get_one_spelling() -> None:
    nics = (NamedMac("eth1", "56:78:90:AA:00:02"), NamedMac("eth0", "56-78-90-aa-00-01"))
    message = MacReport(SENDER, nics, ("00:11:22:33:44:55",))
    assert decode(MacReport, encode(message)) == MacReport(
        SENDER,
        (NamedMac("eth1", "56:78:90:aa:00:02"), NamedMac("eth0", "56:78:90:aa:00:01")),
        ("00:11:22:33:44:55",),
    )


def test_wrong_macs_are_all_named() -> None:
    message = to_bytes(
        {
            "serial": "1",
            "session": SESSION,
            "nics": [{"name": "eth0", "mac": "56:78:90"}, {"name": "eth0", "mac": ""}, {"mac": "00:11:22:33:44:55"}],
            "bmc": ["00:11:22:33:44:5g", ""],
        }
    )
    with pytest.raises(BadInput) as caught:
        decode(MacReport, message)
    assert [problem.place for problem in caught.value.problems] == [
        "$.nics[0].mac",
        "$.nics[1].mac",
        "$.nics[2].name",
        "$.nics[1].name",
        "$.bmc[0]",
        "$.bmc[1]",
    ]


def test_a_document_arrives_as_it_was() -> None:
    content = '{"Serial": "1",\r\n\t"Grüße": "☃"}\n'
    document = Document(SENDER, "qa.json", content)
    assert decode(Document, encode(document)) == document


@pytest.mark.parametrize("kind", DocumentKind)
def test_the_kind_of_a_document_arrives_and_is_qa_if_an_older_client_gives_none(kind: DocumentKind) -> None:
    document = Document(SENDER, "hardware.json", "{}", kind)
    assert decode(Document, encode(document)) == document
    message = json.loads(encode(document))
    del message["kind"]
    assert decode(Document, json.dumps(message).encode()).kind is DocumentKind.QA
    with pytest.raises(BadInput, match="kind"):
        decode(Document, json.dumps({**message, "kind": "other"}).encode())


def test_an_overlong_document_is_refused() -> None:
    with pytest.raises(BadInput, match="at most"):
        decode(Document, encode(Document(SENDER, "qa.json", "x" * (MAX_DOCUMENT + 1))))


def test_credential_request() -> None:
    assert decode(CredentialRequest, encode(CredentialRequest(SENDER))) == CredentialRequest(SENDER)


@pytest.mark.parametrize("serial", ["", " ", " 1", "1 ", "x" * 65, "Ünit", "a\nb", "a\tb", "a\x00b", "\ud800"])
def test_serials_that_are_refused(serial: str) -> None:
    with pytest.raises(BadInput, match=r"\$\.serial"):
        decode(CredentialRequest, _escaped(serial, SESSION))


@pytest.mark.parametrize("session", ["", "x", SESSION[:-1], SESSION + "0", SESSION.upper(), SESSION[:-1] + "\n"])
def test_sessions_that_are_refused(session: str) -> None:
    with pytest.raises(BadInput, match=r"\$\.session"):
        decode(CredentialRequest, _escaped("1", session))


@pytest.mark.parametrize("serial", ["x" * 64, "S/N 1~2", "."])
def test_serials_that_are_taken(serial: str) -> None:
    assert decode(CredentialRequest, _escaped(serial, SESSION)).sender.serial == serial


@settings(max_examples=100)
@given(st.binary(), st.sampled_from(REQUESTS))
def test_any_bytes_get_a_precise_error(data: bytes, message: type[Request]) -> None:
    with pytest.raises(BadInput) as caught:
        decode(message, data)
    assert caught.value.problems


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["serial", "session", "state", "nics", "bmc", "name", "mac", "content", "x"]), inner
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(REQUESTS),
)
def test_any_json_gets_a_precise_error(value: object, message: type[Request]) -> None:
    with pytest.raises(BadInput) as caught:
        decode(message, json.dumps(value).encode())
    assert caught.value.problems


def test_sessions_are_not_shown() -> None:
    assert SESSION not in repr(StateReport(SENDER, ProcessState.UNKNOWN))


def _escaped(serial: str, session: str) -> bytes:
    """ASCII JSON, so that a lone surrogate goes over the wire as a faulty client would send it."""
    return json.dumps({"serial": serial, "session": session}).encode()
