"""The real server as a process; its peers are the real client, and urllib, curl and raw sockets as oracles."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Any

import pytest

from gprov.adapters.linux.net.factory import HttpFactory
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.net.server_sink import Delivery, ServerSink
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.errors import NetworkFault
from gprov.domain.events import Event, LogLine, ProcessState, Severity, StateChange
from gprov.domain.factory.messages import encode, to_bytes
from gprov.domain.factory.replies import FactoryRefused, Refusal
from gprov.domain.factory.requests import EventBatch, Sender
from gprov.ports.network import TransferLimits

GPROV = str(Path(sys.executable).with_name("gprov"))
SECONDS = 60.0
SESSION = "0123456789abcdef" * 2
S = ProcessState
JSON = {"Content-Type": "application/json"}


class Server:
    """One ``gprov server`` on a data folder; may be ended and started again on the same port."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.port = 0
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.announcement = ""
        self.key_file = Path(f"{data}.key")
        self.where = ("--data", str(data), "--key-file", str(self.key_file))
        data.mkdir(exist_ok=True)

    def start(self) -> None:
        with open(self.data / "err", "ab") as errors:
            self._process = subprocess.Popen(
                [GPROV, "server", *self.where, "--isolated", "--port", str(self.port), *self._options],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.announcement = _line(self._output, SECONDS)
        self.port = int(self.announcement.rstrip().rpartition(":")[2])

    def next_line(self) -> str:
        """A further line of its announcement."""
        return _line(self._output, SECONDS)

    @property
    def _output(self) -> IO[str]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    def end(self, number: int = signal.SIGTERM) -> int:
        """Returns the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(SECONDS)
        rest = self._output.read()
        self._output.close()
        self._process = None
        assert rest == "", "standard output is for the announcement alone"
        return status

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def errors(self) -> str:
        return (self.data / "err").read_text()

    def client(self, session: str = "") -> HttpFactory:
        clock = SystemClock()
        return HttpFactory(RequestsHttp(clock), clock, self.url, session=session, pause=0.01)

    def get(self, what: str, **query: str | int) -> Any:
        url = f"{self.url}api/v1/{what}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=SECONDS) as reply:
            return json.load(reply)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Without a client that normalises paths or follows anything."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            return reply.status, reply.read(), {name.lower(): value for name, value in reply.getheaders()}


def _line(stream: IO[str], seconds: float) -> str:
    """One line, or a failure after the deadline."""
    with ThreadPoolExecutor(1) as pool:
        line = pool.submit(stream.readline).result(seconds)
    assert line, "the server ended before it listened"
    return line


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared by tests; each uses other serial numbers."""
    running = Server(tmp_path_factory.mktemp("server") / "data")
    with closing(running):
        running.start()
        yield running
        assert "Traceback" not in running.errors


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "data")
    with closing(running):
        running.start()
        yield running


def lines(first: int, last: int) -> list[Event]:
    return [Event(number, 1000 + number, LogLine(f"line {number}")) for number in range(first, last + 1)]


def test_announcement(own_server: Server) -> None:
    assert own_server.announcement == f"gprov server: listening on http://127.0.0.1:{own_server.port}\n"
    assert own_server.get("time")["time_ns"] == pytest.approx(time.time_ns(), abs=5e9)
    assert own_server.end() == 0


def test_the_life_of_a_unit(server: Server) -> None:
    serial = "/6XQ2PN2/CN 0.1+?&#%2F"
    factory = server.client()
    sink = ServerSink(factory, serial)
    sink.publish(Event(1, 10, LogLine("Provisioning", Severity.MSG)))
    sink.publish(Event(2, 20, StateChange(S.MFG_STARTED)))
    assert abs(factory.time_ns() - time.time_ns()) < 5e9
    factory.code_name(serial, "QEMU-mfg-test")
    factory.macs(serial, {"eth1": "56:78:90:00:00:02", "eth0": "56:78:90:00:00:01"}, ["56:78:90:00:00:03"])
    passwords = factory.credentials(serial)
    assert factory.credentials(serial) == passwords
    factory.document(serial, "qa-report.json", '{"grüße": "☃"}\n')
    sink.publish(Event(3, 30, StateChange(S.MFG_SUCCEEDED)))
    sink.close()

    restored = server.client()
    sink = ServerSink(restored, serial)
    sink.publish(Event(1, 40, StateChange(S.FR_STARTED)))
    held = server.get("unit", serial=serial)["documents"]
    assert [document["status"] for document in held] == ["held"]
    sink.publish(Event(2, 50, StateChange(S.FR_SUCCEEDED)))
    sink.close()

    unit = server.get("unit", serial=serial)
    assert unit["summary"]["code_name"] == "QEMU-mfg-test"
    assert unit["summary"]["state"] == "FR_SUCCEEDED"
    assert unit["nics"] == [
        {"name": "eth1", "mac": "56:78:90:00:00:02"},
        {"name": "eth0", "mac": "56:78:90:00:00:01"},
    ]
    assert unit["bmc"] == ["56:78:90:00:00:03"]
    assert [(entry["state"], entry["session"], entry["verdict"]) for entry in unit["states"]] == [
        ("MFG_STARTED", 1, "applied"),
        ("MFG_SUCCEEDED", 1, "applied"),
        ("FR_STARTED", 2, "applied"),
        ("FR_SUCCEEDED", 2, "applied"),
    ]
    (document,) = unit["documents"]
    assert (document["status"], document["written"]) == ("released", True)
    assert (server.data / "documents" / document["file"]).read_text() == '{"grüße": "☃"}\n'
    assert (unit["credentials"]["handed_out"], unit["credentials"]["sealed"]) == (2, True)
    log = [
        (entry["session"], entry["number"], entry["type"]) for entry in server.get("events", serial=serial)["events"]
    ]
    assert [entry for entry in log if entry[0]] == [
        (1, 1, "MSG"),
        (1, 2, "STATE"),
        (1, 3, "STATE"),
        (2, 1, "STATE"),
        (2, 2, "STATE"),
    ]
    assert serial in [unit["serial"] for unit in server.get("units", limit=1000)["units"]]


def test_provisionings_that_began_and_did_not_end_are_counted(server: Server) -> None:
    serial = "restarts & more"
    assert server.client().unfinished_runs(serial) == 0
    session = server.client()
    for run in (1, 2, 3):
        session = server.client()
        sink = ServerSink(session, serial)
        sink.publish(Event(1, 10, StateChange(S.MFG_STARTED)))
        sink.close()
        assert session.unfinished_runs(serial) == run
    session.state(serial, S.MFG_FAILED)
    assert session.unfinished_runs(serial) == 0


def test_no_password_is_anywhere_but_in_the_store(own_server: Server) -> None:
    secrets: list[str] = []
    for serial in ("1", "2"):
        factory = own_server.client()
        factory.state(serial, S.MFG_STARTED)
        found = factory.credentials(serial)
        secrets += [found.os.reveal(), found.bios.reveal(), found.ipmi.reveal()]
        with pytest.raises(FactoryRefused):
            own_server.client().credentials(serial)
    replies = json.dumps(
        [own_server.get("units"), own_server.get("unit", serial="1"), own_server.get("events", serial="1")]
    )
    assert len(set(secrets)) == 6
    assert not [secret for secret in secrets if secret in replies]
    assert holders(own_server.data, [*secrets, own_server.key_file.read_text().split()[-1]]) == set()
    assert os.path.getsize(own_server.data / "store" / "factory.sqlite-wal") > 0
    assert own_server.end() == 0
    assert not [secret for secret in secrets if secret in own_server.errors]
    assert holders(own_server.data, secrets) == set()


def holders(folder: Path, secrets: Iterable[str]) -> set[str]:
    """Files below a folder in which one of the texts stands, in UTF-8 or as Python and SQL would write it otherwise."""
    sought = [form for secret in secrets for form in (secret.encode(), secret.encode("utf-16-le"))]
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in sought)
    }


def test_passwords_only_for_the_session_that_provisions_and_reopening(own_server: Server) -> None:
    factory = own_server.client()
    assert _refused(factory) == Refusal.NOT_STARTED.sentence
    factory.state("1", S.MFG_STARTED)
    passwords = factory.credentials("1")
    assert _refused(own_server.client()) == Refusal.OTHER_SESSION.sentence
    factory.state("1", S.MFG_SUCCEEDED)
    again = own_server.client()
    again.state("1", S.MFG_STARTED)
    assert _refused(again) == Refusal.SEALED.sentence
    command = [GPROV, "server", "reopen", *own_server.where, "--reason", "bench 7 broke"]
    unknown = subprocess.run([*command, "2"], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert unknown.returncode == 1
    assert unknown.stderr == f"gprov: {own_server.data}: no unit '2' is known\n"
    reopened = subprocess.run([*command, "1", "--json"], check=True, capture_output=True, timeout=SECONDS)
    assert json.loads(reopened.stdout) == {"serial": "1", "hours": 24}
    assert again.credentials("1") == passwords


def test_reopening_makes_no_data_folder(tmp_path: Path) -> None:
    command = [GPROV, "server", "reopen", "--data", str(tmp_path / "misspelt"), "1", "--reason", "x"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert ended.returncode == 3
    assert ended.stderr.endswith(": there is no store of a factory server\n")
    assert not (tmp_path / "misspelt").exists()


def test_replies_with_passwords_are_not_to_be_stored(server: Server) -> None:
    server.client(SESSION).state("headers", S.MFG_STARTED)
    body = to_bytes({"serial": "headers", "session": SESSION})
    status, content, headers = server.ask("/api/v1/credentials", "POST", body, JSON)
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert set(json.loads(content)) == {"os", "bios", "ipmi", "earlier_bios"}


def test_acknowledged_data_survives_a_kill_at_any_time(own_server: Server) -> None:
    """The server is killed again and again while a unit reports; to the unit's sink, that is only a delay."""
    factory = own_server.client()
    factory.state("1", S.MFG_STARTED)
    passwords = factory.credentials("1")
    factory.document("1", "qa", "text")
    sink = ServerSink(
        factory, "1", delivery=Delivery(batch=7, pause=0.01, longest_pause=0.05, batch_delay=0.0, close_seconds=SECONDS)
    )
    events = lines(1, 1500)
    for index, event in enumerate(events):
        sink.publish(event)
        if index % 500 == 250:
            own_server.end(signal.SIGKILL)
            own_server.start()
    sink.close()
    own_server.end(signal.SIGKILL)
    own_server.start()
    assert _numbers(own_server, "1") == [event.number for event in events]
    assert factory.credentials("1") == passwords
    assert [document["status"] for document in own_server.get("unit", serial="1")["documents"]] == ["held"]


def test_a_repeated_post_stores_nothing_twice(server: Server) -> None:
    body = encode(EventBatch(Sender("repeat", SESSION), tuple(lines(1, 10))))
    for stored in (10, 0, 0):
        status, content, _ = server.ask("/api/v1/events", "POST", body, JSON)
        assert (status, json.loads(content)) == (200, {"stored": stored})
    assert _numbers(server, "repeat") == list(range(1, 11))


def test_many_units_at_once(server: Server) -> None:
    def live(serial: str) -> None:
        factory = server.client()
        factory.state(serial, S.MFG_STARTED)
        factory.credentials(serial)
        sink = ServerSink(factory, serial, delivery=Delivery(batch=20, close_seconds=SECONDS))
        for event in lines(1, 300):
            sink.publish(event)
        sink.close()
        factory.state(serial, S.MFG_SUCCEEDED)

    serials = [f"many-{number}" for number in range(12)]
    with ThreadPoolExecutor(len(serials)) as pool:
        list(pool.map(live, serials))
    for serial in serials:
        assert _numbers(server, serial) == list(range(1, 301))
        assert server.get("unit", serial=serial)["summary"]["state"] == "MFG_SUCCEEDED"


def test_the_log_is_paged(server: Server) -> None:
    server.client().events("paged", lines(1, 25))
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = server.get("events", serial="paged", after=after, limit=10)
        seen += [entry["number"] for entry in page["events"]]
        after = page["next"]
    assert seen == list(range(1, 26))


def test_a_document_that_waits_too_long_is_discarded(tmp_path: Path) -> None:
    running = Server(tmp_path / "data", "--qa-hold-minutes", "0.01")
    with closing(running):
        running.start()
        factory = running.client()
        factory.state("1", S.MFG_STARTED)
        factory.document("1", "qa", "text")
        factory.state("1", S.MFG_SUCCEEDED)

        def document() -> dict[str, Any]:
            found: dict[str, Any] = running.get("unit", serial="1")["documents"][0]
            return found

        deadline = time.monotonic() + SECONDS
        while document()["status"] == "held":
            assert time.monotonic() < deadline
        running.client().state("1", S.FR_SUCCEEDED)
        assert (document()["status"], document()["written"]) == ("discarded", False)
        assert "in time" in document()["reason"]
        assert os.listdir(running.data / "documents") == []
        assert "discarded" in running.get("events", serial="1")["events"][-1]["text"]


def test_all_problems_of_a_message_are_reported(server: Server) -> None:
    body = b'{"serial": "", "session": "x", "events": [{"number": 1, "time_ns": 1, "type": "SONG"}, 5]}'
    status, content, _ = server.ask("/api/v1/events", "POST", body, JSON)
    assert status == 422
    places = [problem["place"] for problem in json.loads(content)["problems"]]
    assert set(places) == {"$.serial", "$.session", "$.events[0].type", "$.events[1]"}
    with pytest.raises(FactoryRefused, match=r"status 422: .*serial"):
        server.client().code_name("x" * 65, "name")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/api/v1/events", b"{}", {"Content-Type": "text/plain"}, 415),
        ("POST", "/api/v1/events", b"{}", {}, 415),
        ("POST", "/api/v1/events", b" " * (3 << 20), JSON, 413),
        ("POST", "/api/v1/state", b"\xff\xfe", JSON, 422),
        ("POST", "/api/v1/events", b"[" * 100_000, JSON, 422),
        ("POST", "/api/v1/state", b" " * 100_000, JSON, 413),
        ("POST", "/api/v1/state", b'{"serial": ' + b"9" * 10_000 + b"}", JSON, 422),
        ("POST", "/api/v1/nothing", b"{}", JSON, 404),
        ("POST", "/api/v2/events", b"{}", JSON, 404),
        ("DELETE", "/api/v1/units", None, {}, 405),
        ("GET", "/api/v1/unit?serial=never-seen", None, {}, 404),
        ("GET", "/api/v1/events?serial=never-seen", None, {}, 404),
        ("GET", "/api/v1/unit", None, {}, 422),
        ("GET", "/api/v1/events?serial=1&after=-1", None, {}, 422),
        ("GET", "/api/v1/units?limit=1001", None, {}, 422),
        ("GET", "/docs", None, {}, 404),
    ],
)
def test_invalid_requests_get_error_replies(
    server: Server, method: str, path: str, body: bytes | None, headers: Mapping[str, str], status: int
) -> None:
    got, content, _ = server.ask(path, method, body, headers)
    assert got == status
    assert json.loads(content)["error"]
    assert len(content) < 50_000


def test_a_body_without_an_announced_length_is_refused(server: Server) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)) as connection:
        connection.request("POST", "/api/v1/events", iter([b" " * (1 << 20)] * 2 + [b" "]), JSON, encode_chunked=True)
        assert connection.getresponse().status == 411


def test_clients_that_hang_do_not_delay_others(server: Server) -> None:
    with ExitStack() as stack:
        for half in (b"POST /api/v1/events HTTP/1.1\r\n", b"", b"GET /files/x HTTP/1.1\r\nHost: x\r\n") * 20:
            peer = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SECONDS))
            peer.sendall(half)
        for _ in range(20):
            peer = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SECONDS))
            peer.sendall(
                b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 1000\r\n\r\n{"
            )
        server.client().code_name("not delayed", "x")


def test_the_description_covers_every_operation(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}openapi.json", timeout=SECONDS) as reply:
        document = json.load(reply)
    schemas = document["components"]["schemas"]
    operations = [
        (path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()
    ]
    assert len(operations) >= 10
    for path, method, operation in operations:
        assert path.startswith("/api/v1/") or path == "/boot.ipxe"  # the short address for iPXE
        assert operation["summary"][0].isupper()
        if method == "post":
            schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert schemas[schema.rpartition("/")[2]]["properties"]["serial"]
    for name in _references(document):
        assert name.rpartition("/")[2] in schemas


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


@pytest.fixture(scope="module")
def published(server: Server) -> bytes:
    """A file of 5 MiB and a bit, in a folder below files/."""
    content = random.Random(1).randbytes((5 << 20) + 12345)
    folder = server.data / "files" / "images"
    folder.mkdir()
    (folder / "WIDGET.LNX.SHINY.2026-01-02.1.upd").write_bytes(content)
    return content


IMAGE = "/files/images/WIDGET.LNX.SHINY.2026-01-02.1.upd"


def test_a_file_is_served_whole_and_supports_head(server: Server, published: bytes) -> None:
    status, content, headers = server.ask(IMAGE)
    assert (status, content) == (200, published)
    assert (headers["accept-ranges"], headers["content-length"]) == ("bytes", str(len(published)))
    assert headers["content-type"] == "application/octet-stream"
    status, content, head = server.ask(IMAGE, "HEAD")
    assert (status, content) == (200, b"")
    assert (head["etag"], head["content-length"]) == (headers["etag"], headers["content-length"])
    status, content, _ = server.ask(IMAGE, headers={"If-None-Match": headers["etag"]})
    assert (status, content) == (304, b"")


def test_a_broken_download_is_resumed(server: Server, published: bytes) -> None:
    etag = server.ask(IMAGE, "HEAD")[2]["etag"]
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)) as connection:
        connection.request("GET", IMAGE)
        begun = connection.getresponse().read(2_000_000)
    status, rest, headers = server.ask(IMAGE, headers={"Range": f"bytes={len(begun)}-", "If-Range": etag})
    assert status == 206
    assert headers["content-range"] == f"bytes 2000000-{len(published) - 1}/{len(published)}"
    assert hashlib.sha256(begun + rest).digest() == hashlib.sha256(published).digest()


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=100-199", 206, 100, 200),
        ("bytes=-5", 206, -5, None),
        ("bytes=0-", 206, 0, None),
    ],
)
def test_ranges(server: Server, published: bytes, asked: str, status: int, first: int, last: int | None) -> None:
    got, content, _ = server.ask(IMAGE, headers={"Range": asked})
    assert (got, content) == (status, published[first:last])


def test_a_range_beyond_the_end_is_refused(server: Server, published: bytes) -> None:
    status, _, headers = server.ask(IMAGE, headers={"Range": f"bytes={len(published)}-"})
    assert (status, headers["content-range"]) == (416, f"bytes */{len(published)}")


def test_a_file_that_changed_is_sent_from_its_start(own_server: Server) -> None:
    path = own_server.data / "files" / "kernel"
    path.write_bytes(b"old" * 1000)
    etag = own_server.ask("/files/kernel", "HEAD")[2]["etag"]
    path.write_bytes(b"new!" * 1000)
    status, content, _ = own_server.ask("/files/kernel", headers={"Range": "bytes=1000-", "If-Range": etag})
    assert (status, content) == (200, b"new!" * 1000)


def test_the_client_of_the_units_fetches_it(server: Server, published: bytes, tmp_path: Path) -> None:
    target = tmp_path / "image.partial"
    done: list[tuple[int, int]] = []
    url = f"{server.url.rstrip('/')}{IMAGE}"
    fetched = RequestsHttp(SystemClock()).download(
        url, str(target), lambda *step: done.append(step), TransferLimits(room=1 << 30)
    )
    assert target.read_bytes() == published
    assert fetched.sha256 == hashlib.sha256(published).hexdigest()
    assert done[-1] == (len(published), len(published))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_resumes(server: Server, published: bytes, tmp_path: Path) -> None:
    target = tmp_path / "image"
    target.write_bytes(published[:3_000_000])
    subprocess.run(
        ["curl", "-sSf", "-C", "-", "-o", str(target), f"{server.url.rstrip('/')}{IMAGE}"], check=True, timeout=SECONDS
    )
    assert target.read_bytes() == published


@pytest.fixture(scope="module")
def traps(server: Server) -> None:
    """What must not be served, next to and inside files/."""
    files = server.data / "files"
    (server.data / "secret").write_text("SECRET")
    (server.data / "files-of-others").mkdir()
    (server.data / "files-of-others" / "secret").write_text("SECRET")
    (files / "link").symlink_to(server.data / "secret")
    (files / "up").symlink_to("..")
    os.mkfifo(files / "fifo")
    (files / "folder").mkdir()


@pytest.mark.parametrize(
    "path",
    [
        "/files/../secret",
        "/files/%2e%2e/secret",
        "/files/..%2fsecret",
        "/files/x/../../secret",
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
        "/files/../files-of-others/secret",
        "/files/..%5csecret",
        "/files/link",
        "/files/up/secret",
        "/files/fifo",
        "/files/folder",
        "/files/folder/",
        "/files/",
        "/files",
        "/files/a%00b",
        "/files/" + "x" * 5000,
        "/files/nothing",
        "/secret",
        "/store/factory.sqlite",
        "/documents/",
    ],
)
@pytest.mark.usefixtures("traps")
def test_nothing_outside_the_folder_is_served(server: Server, path: str) -> None:
    status, content, _ = server.ask(path)
    assert status in (307, 400, 404)
    assert b"SECRET" not in content
    assert b"root:" not in content


def test_sigterm_ends_it_cleanly_even_during_a_download(own_server: Server) -> None:
    with open(own_server.data / "files" / "big", "wb") as file:
        file.truncate(1 << 30)
    with closing(http.client.HTTPConnection("127.0.0.1", own_server.port, timeout=SECONDS)) as connection:
        connection.request("GET", "/files/big")
        assert len(connection.getresponse().read(1 << 20)) == 1 << 20
        begin = time.monotonic()
        assert own_server.end() == 0
        assert time.monotonic() - begin < 20
    assert "Traceback" not in own_server.errors


def test_sigint_as_well(own_server: Server) -> None:
    assert own_server.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (["--data", "{data}", "--port", "0"], 3, "another server"),
        (["--data", "{tmp}/other", "--port", "{port}"], 3, "cannot listen"),
        (["--data", "/proc/nothing", "--port", "0"], 3, "cannot be made"),
        (["--data", "{tmp}/other", "--host", "192.0.2.1", "--port", "0"], 3, "cannot listen"),
        (["--port", "0"], 2, "--data"),
        (["--data", "{tmp}/other", "--port", "65536"], 2, "0..65535"),
        (["--data", "{tmp}/other", "--qa-hold-minutes", "0"], 2, "must be 0.01..10080"),
        (["--data", "{tmp}/other", "--qa-hold-minutes", "nan"], 2, "must be 0.01..10080"),
    ],
)
def test_conditions_that_prevent_the_start(
    server: Server, tmp_path: Path, options: list[str], status: int, reason: str
) -> None:
    words = [word.format(data=server.data, tmp=tmp_path, port=server.port) for word in options]
    command = [GPROV, "server", *words, "--isolated"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == status
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_server_does_not_start_before_a_person_decided_who_may_do_what(tmp_path: Path) -> None:
    command = [GPROV, "server", "--data", str(tmp_path), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "$.access.mode: is missing" in done.stderr
    assert "gprov server account add" in done.stderr
    assert "--isolated" in done.stderr


def test_accounts_need_an_encrypted_connection(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('[access]\nmode = "accounts"\n')
    command = [GPROV, "server", "--data", str(tmp_path), "--port", "0", "--key-file", f"{tmp_path}.key"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert 'with "accounts" the server needs TLS' in done.stderr
    assert "behind_proxy" in done.stderr


def test_settings_are_read_from_the_data_folder(tmp_path: Path) -> None:
    running = Server(tmp_path / "data")
    (running.data / "server.toml").write_text('[listen]\nhost = "127.0.0.2"\n[netboot]\nboot_arguments = "quiet"')
    with closing(running):
        running.start()
        assert "http://127.0.0.2:" in running.announcement
        with urllib.request.urlopen(f"http://127.0.0.2:{running.port}/boot.ipxe?serial=1", timeout=SECONDS) as reply:
            assert "manufData.json quiet &&" in reply.read().decode()


def test_problems_of_the_settings_prevent_the_start(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("[listen]\nprot = 1\n[documents]\nhold_minutes = 0")
    command = [GPROV, "server", "--data", str(tmp_path), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "$.listen.prot: is not a key of this table" in done.stderr
    assert "$.documents.hold_minutes: must be" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["server.toml"]


def _refused(factory: HttpFactory) -> str:
    with pytest.raises(NetworkFault) as caught:
        factory.credentials("1")
    return caught.value.reason.partition(": ")[2]


def _numbers(server: Server, serial: str) -> list[int]:
    """Numbers of the unit's own events, in the order of its log."""
    found: list[int] = []
    after: int | None = 0
    while after is not None:
        page = server.get("events", serial=serial, after=after, limit=1000)
        found += [entry["number"] for entry in page["events"] if entry["session"] is not None]
        after = page["next"]
    return found
