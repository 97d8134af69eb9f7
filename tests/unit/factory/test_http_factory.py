"""The client of the factory server, over an Http with replies that the test sets. (The real server: tests/integ.)"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.net.factory import HttpFactory, split
from gprov.adapters.linux.net.factory_clients import FactoryClients
from gprov.domain.errors import NetworkFault
from gprov.domain.events import Body, Event, LogLine, OperationPhase, OperationReport, ProcessState, StateChange
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.messages import encode
from gprov.domain.factory.replies import FactoryRefused, Refusal, error_reply
from gprov.domain.factory.requests import EventBatch, decode
from gprov.domain.factory.syntax import MAX_BODY, MAX_EVENTS
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.factory import Start
from gprov.ports.network import Fetched, Http, Reply, TransferLimits, TransferProgress

BASE = "http://10.0.2.2:8901/"
SESSION = "0123456789abcdef" * 2
PASSWORDS = b'{"os": "osSECRET", "bios": "biosSECRET", "ipmi": "ipmiSECRET"}'


@dataclass(frozen=True)
class Exchange:
    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass
class AnsweringHttp(Http):
    """Keeps requests; answers from ``replies`` (an exception is raised), and with ``usual`` when there are no more."""

    replies: list[Reply | NetworkFault] = field(default_factory=list)
    usual: Reply = field(default_factory=lambda: Reply(204, b""))
    seen: list[Exchange] = field(default_factory=list)

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 16 << 20,
        seconds: float = 30.0,
    ) -> Reply:
        self.seen.append(Exchange(method, url, body or b"", headers or {}))
        reply = self.replies.pop(0) if self.replies else self.usual
        if isinstance(reply, NetworkFault):
            raise reply
        return reply

    @override
    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        raise NetworkFault(url, "not here")


def client(http: Http, endpoint: str = BASE, clock: FakeClock | None = None) -> HttpFactory:
    return HttpFactory(http, clock or FakeClock(), endpoint, session=SESSION)


SILENCE = NetworkFault(BASE, "no answer")
CALLS: tuple[tuple[str, Callable[[HttpFactory], object]], ...] = (
    ("state", lambda factory: factory.state("1", ProcessState.MFG_STARTED)),
    ("code-name", lambda factory: factory.code_name("1", "QEMU")),
    ("macs", lambda factory: factory.macs("1", {"eth0": "56:78:90:00:00:01"}, [])),
    ("document", lambda factory: factory.document("1", "qa", "text")),
    ("document", lambda factory: factory.document("1", "hardware.json", "{}", DocumentKind.HARDWARE)),
)


@pytest.mark.parametrize("endpoint", [BASE, BASE.rstrip("/")])
@pytest.mark.parametrize(("what", "call"), CALLS)
def test_each_report_is_one_json_post(endpoint: str, what: str, call: Callable[[HttpFactory], object]) -> None:
    http = AnsweringHttp()
    call(client(http, endpoint))
    (exchange,) = http.seen
    assert (exchange.method, exchange.url) == ("POST", f"http://10.0.2.2:8901/api/v1/{what}")
    assert exchange.headers["Content-Type"] == "application/json"
    sent = json.loads(exchange.body)
    assert (sent["serial"], sent["session"]) == ("1", SESSION)


@pytest.mark.parametrize(("what", "call"), CALLS)
def test_a_fault_that_passes_is_tried_again(what: str, call: Callable[[HttpFactory], object]) -> None:
    http, clock = AnsweringHttp([SILENCE, Reply(503, b"full"), Reply(500, b"")]), FakeClock()
    call(client(http, clock=clock))
    assert clock.slept == 0.5 + 1 + 2
    assert len(http.seen) == 4
    assert len({exchange.body for exchange in http.seen}) == 1


@pytest.mark.parametrize(("what", "call"), CALLS)
def test_attempts_are_bounded(what: str, call: Callable[[HttpFactory], object]) -> None:
    http = AnsweringHttp(usual=Reply(503, encode(error_reply("disk full"))))
    with pytest.raises(NetworkFault, match=rf"/api/v1/{what}: status 503: disk full"):
        call(client(http))
    assert len(http.seen) == 4


@pytest.mark.parametrize(("what", "call"), CALLS)
def test_a_refusal_is_final_and_has_its_reason(what: str, call: Callable[[HttpFactory], object]) -> None:
    http = AnsweringHttp(usual=Reply(422, encode(error_reply("$.serial: must not be empty"))))
    with pytest.raises(FactoryRefused, match=rf"/api/v1/{what}: status 422: .*serial") as caught:
        call(client(http))
    assert len(http.seen) == 1
    assert caught.value.status == 422


@pytest.mark.parametrize("status", [301, 404])
def test_another_program_that_answers_is_a_fault(status: int) -> None:
    http = AnsweringHttp(usual=Reply(status, b"<html>hello</html>"))
    with pytest.raises(NetworkFault, match=f"status {status}$"):
        client(http).code_name("1", "x")


def test_time() -> None:
    assert client(AnsweringHttp([SILENCE, Reply(200, b'{"time_ns": 5}')])).time_ns() == 5
    with pytest.raises(NetworkFault, match="no factory server at this URL"):
        client(AnsweringHttp(usual=Reply(200, b"<html>"))).time_ns()


def test_runs_that_did_not_end() -> None:
    http = AnsweringHttp([SILENCE, Reply(200, b'{"unfinished": 2}')])
    assert client(http).unfinished_runs("A/1 &") == 2
    assert http.seen[-1].url == "http://10.0.2.2:8901/api/v1/runs"
    assert json.loads(http.seen[-1].body)["serial"] == "A/1 &"
    with pytest.raises(NetworkFault, match="has no number of runs"):
        client(AnsweringHttp(usual=Reply(200, b"<html>"))).unfinished_runs("1")


def test_events_are_tried_once_since_the_sink_repeats_them() -> None:
    http = AnsweringHttp([SILENCE])
    with pytest.raises(NetworkFault):
        client(http).events("1", [Event(1, 1, LogLine("x"))])
    assert len(http.seen) == 1


@settings(max_examples=100)
@given(st.lists(st.one_of(st.integers(0, 20), st.sampled_from([8000, 100_000])), max_size=900))
def test_events_are_split_into_what_the_server_takes(sizes: list[int]) -> None:
    events = [Event(number, 1, LogLine("\N{SNOWMAN}" * size)) for number, size in enumerate(sizes)]
    batches = split(events)
    assert [event for batch in batches for event in batch] == events
    assert all(1 <= len(batch) <= MAX_EVENTS for batch in batches)
    http = AnsweringHttp()
    client(http).events("1", events)
    assert all(len(exchange.body) <= MAX_BODY for exchange in http.seen)
    arrived = [event for exchange in http.seen for event in decode(EventBatch, exchange.body).events]
    assert [event.number for event in arrived] == [event.number for event in events]


@pytest.mark.parametrize(
    "body",
    [
        LogLine("\N{SNOWMAN}" * 8000),
        OperationReport("\N{SNOWMAN}" * 400, OperationPhase.FAILED, 1, "\N{SNOWMAN}" * 8000),
    ],
)
def test_a_flood_of_long_lines_is_split_as_well(body: Body) -> None:
    http = AnsweringHttp()
    client(http).events("1", [Event(number, 1, body) for number in range(MAX_EVENTS)])
    assert max(len(exchange.body) for exchange in http.seen) <= MAX_BODY
    assert sum(len(decode(EventBatch, exchange.body).events) for exchange in http.seen) == MAX_EVENTS


@pytest.mark.parametrize("status", [301, 403, 500])
def test_a_login_in_the_endpoint_is_not_shown(status: int) -> None:
    factory = client(AnsweringHttp(usual=Reply(status, b"")), "http://unit:TOKEN@10.0.2.2/")
    calls = [call for _, call in CALLS]
    for call in (*calls, HttpFactory.time_ns, _ask_credentials):
        with pytest.raises(NetworkFault) as caught:
            call(factory)
        assert "TOKEN" not in str(caught.value)


def _ask_credentials(factory: HttpFactory) -> Credentials:
    return factory.credentials("1")


def test_credentials() -> None:
    http = AnsweringHttp([Reply(200, PASSWORDS)])
    found = client(http).credentials("1")
    assert found == Credentials(Secret("osSECRET"), Secret("biosSECRET"), Secret("ipmiSECRET"))
    assert http.seen[0].url == "http://10.0.2.2:8901/api/v1/credentials"


def test_credentials_are_asked_again_until_the_start_report_has_arrived() -> None:
    early = Reply(403, encode(error_reply("no", refusal=Refusal.NOT_STARTED)))
    http = AnsweringHttp([early, early, Reply(200, PASSWORDS)])
    assert client(http).credentials("1").os.reveal() == "osSECRET"


@pytest.mark.parametrize("refusal", [Refusal.SEALED, Refusal.OTHER_SESSION, Refusal.WINDOW_OVER])
def test_a_refusal_of_credentials_has_its_reason(refusal: Refusal) -> None:
    http = AnsweringHttp(usual=Reply(403, encode(error_reply("no", refusal=refusal))))
    with pytest.raises(FactoryRefused) as caught:
        client(http).credentials("1")
    assert refusal.sentence in str(caught.value)
    assert len(http.seen) == 1


@pytest.mark.parametrize("status", [200, 201, 204, 301, 403, 404, 422, 500, 503])
@pytest.mark.parametrize(
    "body",
    [
        PASSWORDS[:-1],
        b'{"os": "osSECRET"}',
        b'{"os": "osSECRET", "bios": ["biosSECRET"], "ipmi": 5}',
        b'{"error": "osSECRET", "refusal": "biosSECRET", "problems": [{"place": "ipmiSECRET"}]}',
        b'"osSECRET"',
        b"osSECRET",
    ],
)
def test_no_password_gets_into_an_error(status: int, body: bytes) -> None:
    http = AnsweringHttp(usual=Reply(status, body))
    with pytest.raises(NetworkFault) as caught:
        client(http).credentials("1")
    error: BaseException | None = caught.value
    while error is not None:
        assert "SECRET" not in str(error)
        assert "SECRET" not in repr(vars(error))
        assert "SECRET" not in "".join(traceback.format_exception(error))
        error = error.__context__
    assert "/api/v1/credentials" in str(caught.value)


def test_another_server_for_credentials_gets_the_states_of_provisioning() -> None:
    other = "http://vault.invalid/"
    http = AnsweringHttp([Reply(204, b""), Reply(200, PASSWORDS)])
    factory = client(http)
    factory.credentials("1", other)
    factory.events("1", [Event(1, 1, LogLine("x")), Event(2, 1, StateChange(ProcessState.MFG_SUCCEEDED))])
    factory.events("1", [Event(3, 1, StateChange(ProcessState.FR_STARTED))])
    assert [(exchange.url, json.loads(exchange.body).get("state")) for exchange in http.seen] == [
        ("http://vault.invalid/api/v1/state", "MFG_STARTED"),
        ("http://vault.invalid/api/v1/credentials", None),
        ("http://10.0.2.2:8901/api/v1/events", None),
        ("http://vault.invalid/api/v1/state", "MFG_SUCCEEDED"),
        ("http://10.0.2.2:8901/api/v1/events", None),
    ]


def test_the_same_server_by_another_spelling_is_no_other_server() -> None:
    http = AnsweringHttp([Reply(200, PASSWORDS)])
    client(http).credentials("1", BASE.rstrip("/"))
    assert len(http.seen) == 1


def test_each_run_is_a_session_of_its_own_for_all_ports() -> None:
    http = AnsweringHttp()
    for clients in (FactoryClients(http, FakeClock()), FactoryClients(http, FakeClock())):
        clients.at(BASE).code_name("1", "x")
        clients.at(BASE.rstrip("/")).document("1", "qa", "text")
        clients.at("http://10.0.2.3:8901").code_name("1", "x")
    sessions = [json.loads(exchange.body)["session"] for exchange in http.seen]
    assert [sessions.index(session) for session in sessions] == [0, 0, 2, 3, 3, 5]


KEY = "ab" * 32
START = Start(token=Secret("tokenSECRET"), key=KEY)


def test_a_start_is_the_first_message_and_a_refusal_says_what_to_do() -> None:
    http = AnsweringHttp([SILENCE])
    client(http).start("1", START)
    assert [exchange.url for exchange in http.seen] == [f"{BASE}api/v1/start"] * 2
    sent = json.loads(http.seen[-1].body)
    assert sent == {"serial": "1", "session": SESSION, "key": KEY, "token": "tokenSECRET", "lost": False}
    refused = Reply(403, encode(error_reply("1: no", refusal=Refusal.PROOF_NEEDED)))
    with pytest.raises(FactoryRefused, match="1: no") as caught:
        client(AnsweringHttp(usual=refused)).start("1", START)
    assert caught.value.refusal is Refusal.PROOF_NEEDED
    assert "SECRET" not in str(caught.value)


def test_a_proof_comes_before_the_first_report_and_is_repeated_until_it_arrived() -> None:
    http = AnsweringHttp([SILENCE])
    factory = client(http)
    factory.prove("1", Secret("unitSECRET"))
    assert not http.seen
    with pytest.raises(NetworkFault):
        factory.events("1", [Event(1, 1, LogLine("x"))])
    for _ in range(2):
        factory.events("1", [Event(1, 1, LogLine("x"))])
    assert [exchange.url.rpartition("/")[2] for exchange in http.seen] == ["proof", "proof", "events", "events"]
    assert json.loads(http.seen[0].body)["secret"] == "unitSECRET"


def test_reports_go_on_after_a_proof_that_the_server_refused() -> None:
    http = AnsweringHttp([Reply(403, encode(error_reply("no", refusal=Refusal.NOT_PROVEN)))])
    factory = client(http)
    factory.prove("1", Secret("unitSECRET"))
    factory.state("1", ProcessState.FR_STARTED)
    assert [exchange.url.rpartition("/")[2] for exchange in http.seen] == ["proof", "state"]


def test_another_server_of_passwords_gets_the_start_before_the_state() -> None:
    http = AnsweringHttp([Reply(204, b""), Reply(204, b""), Reply(204, b""), Reply(200, PASSWORDS)])
    factory = client(http)
    factory.start("1", START)
    factory.credentials("1", "http://vault/")
    assert [exchange.url for exchange in http.seen[1:]] == [
        "http://vault/api/v1/start",
        "http://vault/api/v1/state",
        "http://vault/api/v1/credentials",
    ]
