"""Registering an erase report at a factory server. (The real server: tests/integ.)"""

from __future__ import annotations

import pytest

from gprov.adapters.fake.net.factory import FakeFactory
from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.net.factory import HttpFactory
from gprov.adapters.linux.net.factory_clients import FactoryClients
from gprov.domain.erase.certificate import parse_certificate
from gprov.domain.erase.certificate_chain import link_problem
from gprov.domain.erase.report_making import make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.errors import BadInput, NetworkFault
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import certificate_reply
from gprov.domain.factory.requests import ErasureRegistration, decode
from gprov.ports.network import Reply
from tests.unit.erase.outcomes import OVERWRITTEN, facts_of
from tests.unit.factory.test_http_factory import AnsweringHttp

REPORT = report_bytes(make_report(facts_of(OVERWRITTEN)))
SIGNED = SignedCertificate('{"é": 1}\n'.encode(), bytes(range(64)))


def client(http: AnsweringHttp) -> HttpFactory:
    return FactoryClients(http, FakeClock()).at("http://10.0.2.2:8901/")


def test_the_exact_report_is_sent_and_the_exact_certificate_returned() -> None:
    http = AnsweringHttp([Reply(503, b""), Reply(200, encode(certificate_reply(SIGNED)))])
    assert client(http).register(REPORT) == SIGNED
    for exchange in http.seen:
        message = decode(ErasureRegistration, exchange.body)
        assert (message.sender.serial, message.report.encode()) == ("SIM0001", REPORT)
    assert {exchange.url for exchange in http.seen} == {"http://10.0.2.2:8901/api/v1/erasure"}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"certificate": "{}", "signature": "00"}'])
def test_a_reply_without_certificate_is_a_fault(body: bytes) -> None:
    http = AnsweringHttp([Reply(200, body)] * 9)
    with pytest.raises(NetworkFault, match="has no certificate"):
        client(http).register(REPORT)


def test_what_is_no_report_is_not_sent() -> None:
    http = AnsweringHttp()
    with pytest.raises(BadInput):
        client(http).register(b"{}")
    assert http.seen == []


def test_the_fake_returns_the_same_certificate_for_the_same_report() -> None:
    fake = FakeFactory()
    other = report_bytes(make_report(facts_of(OVERWRITTEN, OVERWRITTEN)))
    assert fake.register(REPORT) == fake.register(REPORT)
    assert fake.register(REPORT) != fake.register(other)
    assert list(fake.erasures) == [REPORT, other]
    first, second = (parse_certificate(signed.certificate) for signed in fake.erasures.values())
    assert link_problem(second, first, fake.erasures[REPORT].certificate) == ""
    fake.down = True
    with pytest.raises(NetworkFault):
        fake.register(REPORT)
