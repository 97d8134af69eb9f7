"""The HTTP adapter against a real server on this machine that misbehaves on demand."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
import random
import shutil
import socket
import ssl
import struct
import subprocess
import termios
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.net.server_trust import HttpTrust
from gprov.domain.errors import DeviceFault, DeviceMissing, NetworkFault, RefusedByPolicy
from gprov.domain.files import Digests
from gprov.domain.unit.trust import SystemCas, parse_ca
from gprov.ports.clock import Clock
from gprov.ports.network import TransferLimits

CONTENT = random.Random(7).randbytes(3_000_000)
OTHER = random.Random(8).randbytes(2_000_000)
EQUALLY_LONG = random.Random(9).randbytes(len(CONTENT))
ROOM = 10_000_000  # bytes
MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"


class SkippingClock(Clock):
    """Real time, except that sleeping only makes it later."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    @override
    def now_ns(self) -> int:
        return time.time_ns()

    @override
    def monotonic(self) -> float:
        return time.monotonic() + sum(self.pauses)

    @override
    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @override
    def set(self, time_ns: int) -> None:
        raise NotImplementedError


Behaviour = Callable[["Handler", "Origin"], None]


@dataclass
class Origin:
    """One file, and what to do with the next requests instead of serving it."""

    content: bytes = CONTENT
    etag: str = '"first"'
    modified: str = MODIFIED
    script: deque[Behaviour] = field(default_factory=deque)
    asked: list[tuple[str, str, Message, bytes]] = field(default_factory=list)  # method, path, headers, body
    release: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    @property
    def ranges(self) -> list[str | None]:
        return [headers["Range"] for _, _, headers, _ in self.asked]


class Handler(BaseHTTPRequestHandler):
    origin: Origin

    def handle_any(self) -> None:
        origin = self.origin
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        origin.asked.append((self.command, self.path, self.headers, body))
        behaviour = origin.script.popleft() if origin.script else serve
        with suppress(ConnectionError):
            behaviour(self, origin)

    def do_GET(self) -> None:
        self.handle_any()

    def do_HEAD(self) -> None:
        self.answer(200, facts(self.origin, len(self.origin.content)))

    def do_POST(self) -> None:
        self.handle_any()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, headers: Mapping[str, object], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value != "":
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def facts(origin: Origin, length: int) -> dict[str, object]:
    return {"Content-Length": length, "ETag": origin.etag, "Last-Modified": origin.modified}


def serve(handler: Handler, origin: Origin) -> None:
    """As RFC 9110 says."""
    wanted, proof = handler.headers["Range"], handler.headers["If-Range"]
    whole = len(origin.content)
    if wanted and proof in (None, origin.etag, origin.modified):
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= whole:
            handler.answer(416, {"Content-Range": f"bytes */{whole}", "Content-Length": 0})
            return
        part = origin.content[start:]
        handler.answer(206, facts(origin, len(part)) | {"Content-Range": f"bytes {start}-{whole - 1}/{whole}"}, part)
    else:
        handler.answer(200, facts(origin, whole), origin.content)


def truncate(size: int) -> Behaviour:
    return lambda handler, origin: handler.answer(200, facts(origin, len(origin.content)), origin.content[:size])


def reset(size: int) -> Behaviour:
    def behave(handler: Handler, origin: Origin) -> None:
        truncate(size)(handler, origin)
        # A reset discards what is still to be sent; what the peer's kernel has acknowledged, the peer will read.
        while struct.unpack("i", fcntl.ioctl(handler.connection, termios.TIOCOUTQ, bytes(4)))[0]:
            time.sleep(0.005)
        handler.reset()

    return behave


def stall(size: int) -> Behaviour:
    def behave(handler: Handler, origin: Origin) -> None:
        truncate(size)(handler, origin)
        origin.release.wait(20)

    return behave


def drip(handler: Handler, origin: Origin) -> None:
    """Never silent for long, and never done."""
    handler.answer(200, facts(origin, len(origin.content)))
    while not origin.release.wait(0.02):
        handler.wfile.write(b"x")


def drip_headers(handler: Handler, origin: Origin) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
    while not origin.release.wait(0.02):
        handler.wfile.write(b"x")


def status(code: int, body: bytes = b"") -> Behaviour:
    return lambda handler, origin: handler.answer(code, {"Content-Length": len(body)}, body)


def ignore_range(handler: Handler, origin: Origin) -> None:
    handler.answer(200, facts(origin, len(origin.content)), origin.content)


def change_then_serve(handler: Handler, origin: Origin) -> None:
    origin.content, origin.etag, origin.modified = OTHER, '"second"', "Thu, 22 Oct 2015 07:28:00 GMT"
    serve(handler, origin)


def change_but_send_a_part(content: bytes) -> Behaviour:
    """A server that does not know If-Range."""

    def behave(handler: Handler, origin: Origin) -> None:
        origin.content, origin.etag = content, '"second"'
        del handler.headers["If-Range"]
        serve(handler, origin)

    return behave


def wrong_part(handler: Handler, origin: Origin) -> None:
    whole = len(origin.content)
    headers = facts(origin, 10) | {"Content-Range": f"bytes 0-9/{whole}"}
    handler.answer(206, headers, origin.content[:10])


def endless(announced: int | None = None, rate: int = 0) -> Behaviour:
    """A body without end; ``rate``: bytes a second, 0 for as fast as it goes."""

    def behave(handler: Handler, origin: Origin) -> None:
        handler.answer(200, {} if announced is None else {"Content-Length": announced, "ETag": origin.etag})
        while not origin.release.wait(0.05 if rate else 0):
            handler.wfile.write(bytes(rate // 20 or 65536))

    return behave


def endless_interim_answers(handler: Handler, origin: Origin) -> None:
    """http.client skips them all, without looking at a clock."""
    while not origin.release.is_set():
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def endless_trailers(handler: Handler, origin: Origin) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.answer(200, {"Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n0\r\n")
    while not origin.release.is_set():
        handler.wfile.write(b"X-Trailer: x\r\n" * 100)


def rest_with(changes: dict[str, object], code: int = 206) -> Behaviour:
    """The part that was asked for, with other headers."""

    def behave(handler: Handler, origin: Origin) -> None:
        wanted = handler.headers["Range"]
        start, whole = int(wanted.removeprefix("bytes=").removesuffix("-")), len(origin.content)
        usual = facts(origin, whole - start) | {"Content-Range": f"bytes {start}-{whole - 1}/{whole}"}
        handler.answer(code, usual | changes, origin.content[start:])

    return behave


def redirect(location: str, code: int = 302) -> Behaviour:
    return lambda handler, origin: handler.answer(code, {"Location": location, "Content-Length": 0})


@pytest.fixture
def origin() -> Iterator[Origin]:
    origin = Origin()
    handler = type("OriginHandler", (Handler,), {"origin": origin})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        origin.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield origin
        finally:
            origin.release.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def clock() -> SkippingClock:
    return SkippingClock()


@pytest.fixture
def http(clock: SkippingClock) -> RequestsHttp:
    return RequestsHttp(clock)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.partial"


def nothing(done: int, total: int) -> None:
    pass


def check(target: Path, content: bytes, fetched: Digests) -> None:
    """What is on disk, and what the adapter says about it, are both the content."""
    assert target.read_bytes() == content
    expected = (len(content), hashlib.sha1(content).hexdigest(), hashlib.sha256(content).hexdigest())
    assert (fetched.size, fetched.sha1, fetched.sha256) == expected


def test_download(http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path) -> None:
    target.write_bytes(b"left from an earlier run, of another length" * 100_000)
    seen: list[tuple[int, int]] = []
    fetched = http.download(
        f"{origin.address}/image",
        str(target),
        lambda done, total: seen.append((done, total)),
        TransferLimits(room=ROOM),
    )
    check(target, CONTENT, fetched)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert clock.pauses == []
    ((method, path, headers, _),) = origin.asked
    assert (method, path, headers["Range"], headers["Accept-Encoding"]) == ("GET", "/image", None, "identity")


@pytest.mark.parametrize(
    "breakage", [truncate(1_234_567), reset(1_234_567), stall(1_234_567)], ids=["cut", "rst", "stall"]
)
def test_a_broken_transfer_goes_on_where_it_broke(
    http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path, breakage: Behaviour
) -> None:
    origin.script.append(breakage)
    fetched = http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, stall_seconds=1.0))
    check(target, CONTENT, fetched)
    assert origin.ranges == [None, "bytes=1234567-"]
    assert origin.asked[1][2]["If-Range"] == '"first"'
    assert clock.pauses == [2.0]


def test_it_goes_on_again_and_again(http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path) -> None:
    def cut_range(handler: Handler, origin: Origin) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        whole = len(origin.content)
        headers = facts(origin, whole - start) | {"Content-Range": f"bytes {start}-{whole - 1}/{whole}"}
        handler.answer(206, headers, origin.content[start : start + 500_000])

    origin.script.extend([truncate(100), cut_range, cut_range, cut_range])
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    assert origin.ranges == [None, "bytes=100-", "bytes=500100-", "bytes=1000100-", "bytes=1500100-"]
    assert clock.pauses == [2.0, 4.0, 8.0, 16.0]


def test_last_modified_proves_it_too(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.etag = 'W/"weak"'
    origin.script.append(truncate(1000))
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    assert origin.asked[1][2]["If-Range"] == MODIFIED


def test_without_proof_it_begins_anew(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.etag = origin.modified = ""
    origin.script.append(truncate(1000))
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    assert origin.ranges == [None, None]


@pytest.mark.parametrize(
    ("second", "content"),
    [
        (ignore_range, CONTENT),
        (change_then_serve, OTHER),
        (change_but_send_a_part(OTHER), OTHER),
        (change_but_send_a_part(EQUALLY_LONG), EQUALLY_LONG),
        (wrong_part, CONTENT),
    ],
    ids=[
        "ignores Range",
        "file changed",
        "file changed and no If-Range",
        "same length and no If-Range",
        "another part",
    ],
)
def test_parts_of_different_files_are_never_joined(
    http: RequestsHttp, origin: Origin, target: Path, second: Behaviour, content: bytes
) -> None:
    origin.script.extend([truncate(1_500_000), second])
    check(target, content, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))


def test_a_file_that_became_shorter_than_the_partial_download(http: RequestsHttp, origin: Origin, target: Path) -> None:
    def shrink(handler: Handler, origin: Origin) -> None:
        origin.content = OTHER[:1000]
        serve(handler, origin)

    origin.script.extend([truncate(1_500_000), shrink])
    check(target, OTHER[:1000], http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))


def test_an_unknown_length_is_taken_as_it_comes(http: RequestsHttp, origin: Origin, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    origin.script.append(lambda handler, origin: handler.answer(200, {}, CONTENT))
    fetched = http.download(
        origin.address, str(target), lambda done, total: seen.append((done, total)), TransferLimits(room=ROOM)
    )
    check(target, CONTENT, fetched)
    assert seen[0][1] == 0


def test_a_truncated_chunked_body_is_an_error(http: RequestsHttp, origin: Origin, target: Path) -> None:
    def cut_chunks(handler: Handler, origin: Origin) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.answer(
            200,
            {"Transfer-Encoding": "chunked", "Connection": "close"},
            b"1000\r\n" + bytes(0x1000) + b"\r\n1000\r\nxx",
        )

    origin.script.append(cut_chunks)
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))


def test_an_unrequested_content_encoding_is_not_decoded(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.script.append(lambda h, o: h.answer(200, {"Content-Encoding": "gzip", "Content-Length": 3}, b"abc"))
    check(target, b"abc", http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))


@pytest.mark.parametrize(
    "rest",
    [
        rest_with({"Content-Encoding": "gzip"}),
        rest_with({}, 200),
        rest_with({"Content-Range": "bytes 7-8/9"}, 200),
        rest_with({"Content-Range": "bytes"}, 200),
        rest_with({"Content-Length": len(CONTENT)}),
        wrong_part,
    ],
    ids=["encoded", "part as 200", "other part as 200", "unreadable part as 200", "more than the rest", "another part"],
)
def test_a_server_that_cannot_be_trusted_with_parts_is_asked_for_the_whole_file(
    http: RequestsHttp, origin: Origin, target: Path, rest: Behaviour
) -> None:
    origin.script.extend([truncate(1_500_000), rest, truncate(1_500_000), serve])
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    assert origin.ranges == [None, "bytes=1500000-", None, None]


def test_a_stored_encoding_stays_the_same_over_parts(http: RequestsHttp, origin: Origin, target: Path) -> None:
    """As a server sends FILE.gz: the bytes are those of the file."""
    encoded: dict[str, object] = {"Content-Encoding": "gzip"}

    def cut(handler: Handler, origin: Origin) -> None:
        handler.answer(200, facts(origin, len(origin.content)) | encoded, origin.content[:1000])

    origin.script.extend([cut, rest_with(encoded)])
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))


def test_a_whole_file_may_say_that_it_is_whole(http: RequestsHttp, origin: Origin, target: Path) -> None:
    whole = {"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}
    origin.script.append(lambda h, o: h.answer(200, facts(o, len(CONTENT)) | whole, CONTENT))
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    assert len(origin.asked) == 1


def test_a_file_that_has_no_room_is_not_begun(http: RequestsHttp, origin: Origin, target: Path) -> None:
    with pytest.raises(NetworkFault, match="has 3000000 bytes, and 2999999 are left for it: use a larger volume"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=len(CONTENT) - 1))
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=len(CONTENT))))


@pytest.mark.parametrize("behaviour", [endless(), endless(announced=10**15)], ids=["unannounced", "announced"])
def test_a_download_without_end_does_not_fill_the_volume(
    http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path, behaviour: Behaviour
) -> None:
    origin.script.append(behaviour)
    with pytest.raises(NetworkFault, match=f"(has {10**15} bytes|does not end), and {ROOM} are left for it"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM))
    assert (target.stat().st_size, clock.pauses) == (0, [])


def test_a_slow_download_is_a_stall(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.script.extend([endless(len(CONTENT), rate=20_000), serve])
    fetched = http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, stall_seconds=1.0))
    assert fetched.size == len(CONTENT)
    assert len(origin.asked) == 2


def test_all_attempts_together_have_a_deadline(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.script.extend([endless(10**6, rate=100_000)] * 9)
    began = time.monotonic()
    with pytest.raises(NetworkFault, match=r"not finished within 2 s .*network.*: \d+ of 1000000 bytes came"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, grace_seconds=1.0, rate=10**6))
    assert time.monotonic() - began < 5
    origin.script.clear()
    origin.script.extend([status(503)] * 9)
    with pytest.raises(NetworkFault, match=r"not finished within 5 s .*: answered 503"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, grace_seconds=5.0, attempts=9))


def test_a_small_file_has_less_time_than_a_large_one(http: RequestsHttp, origin: Origin, target: Path) -> None:
    """Fast enough not to stall, and slower than on average: what is allowed follows from the announced size."""
    origin.script.extend([endless(10**5, rate=20_000)] * 9)
    began = time.monotonic()
    limits = TransferLimits(room=ROOM, grace_seconds=3.0, rate=10**5, stall_seconds=2.0)
    with pytest.raises(NetworkFault, match=r"not finished within 4 s \(at least 97\.6562 KiB/s are expected"):
        http.download(origin.address, str(target), nothing, limits)
    assert time.monotonic() - began < 10


def test_the_time_for_a_download() -> None:
    limits = TransferLimits(room=ROOM)
    assert limits.seconds_for(1000) < 1000
    assert limits.seconds_for(1 << 30) == 900 + (1 << 14)  # five hours at 64 KiB/s
    assert limits.seconds_for(1 << 50) == 12 * 3600


@pytest.mark.parametrize(
    ("behaviour", "exact", "words"),
    [
        (serve, len(CONTENT) + 1, f"has {len(CONTENT)} bytes, and its Size in manufData.json is {len(CONTENT) + 1}"),
        (serve, len(CONTENT) - 1, f"has {len(CONTENT)} bytes, and its Size in manufData.json is"),
        (endless(), 1000, "does not end, and its Size in manufData.json is 1000: publish the file that is meant"),
        (endless(announced=10**15), 1000, "has 1000000000000000 bytes, and its Size"),
    ],
    ids=["short", "long", "endless", "announced"],
)
def test_a_file_of_another_size_is_not_fetched(
    http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path, behaviour: Behaviour, exact: int, words: str
) -> None:
    origin.script.append(behaviour)
    with pytest.raises(NetworkFault, match=words) as caught:
        http.download(f"{origin.address}/image", str(target), nothing, TransferLimits(room=ROOM, exact=exact))
    assert str(caught.value).startswith(f"{origin.address}/image: ")
    assert (target.stat().st_size, clock.pauses, len(origin.asked)) == (0, [], 1)


def test_a_body_without_length_that_ends_early_is_asked_for_again(
    http: RequestsHttp, origin: Origin, target: Path
) -> None:
    origin.script.extend([lambda h, o: h.answer(200, {}, CONTENT[:1000]), serve])
    limits = TransferLimits(room=ROOM, exact=len(CONTENT))
    check(target, CONTENT, http.download(origin.address, str(target), nothing, limits))
    assert len(origin.asked) == 2


def test_what_follows_an_understated_length_is_no_part_of_the_file(
    http: RequestsHttp, origin: Origin, target: Path
) -> None:
    origin.script.append(lambda h, o: h.answer(200, {"Content-Length": 1000}, CONTENT))
    check(target, CONTENT[:1000], http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))


def test_a_compressed_bomb_stays_compressed(http: RequestsHttp, origin: Origin, target: Path) -> None:
    bomb = gzip.compress(bytes(100 << 20))
    headers = {"Content-Encoding": "gzip", "Content-Length": len(bomb)}
    origin.script.append(lambda h, o: h.answer(200, headers, bomb))
    check(target, bomb, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    origin.script.append(lambda h, o: h.answer(200, headers, bomb))
    with pytest.raises(NetworkFault, match="encoded"):
        http.request("GET", origin.address)


def long_headers(handler: Handler, origin: Origin) -> None:
    """Within the limits of http.client: 64 KiB a line, 100 lines."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    for number in range(90):
        handler.wfile.write(f"X-{number}: ".encode() + b"x" * 60_000 + b"\r\n")
    handler.wfile.write(b"\r\n")


@pytest.mark.parametrize("behaviour", [endless_interim_answers, long_headers])
def test_headers_without_end_are_refused_before_any_timeout(
    http: RequestsHttp, origin: Origin, target: Path, behaviour: Behaviour
) -> None:
    origin.script.extend([behaviour] * 7)
    began = time.monotonic()
    with pytest.raises(NetworkFault, match="more than 64 KiB of headers or interim answers"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM))
    with pytest.raises(NetworkFault, match="more than 64 KiB of headers or interim answers"):
        http.request("GET", origin.address)
    assert time.monotonic() - began < 10


def test_a_few_interim_answers_are_skipped(http: RequestsHttp, origin: Origin) -> None:
    def behave(handler: Handler, origin: Origin) -> None:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 3)
        serve(handler, origin)

    origin.script.append(behave)
    assert http.request("GET", origin.address).body == CONTENT


def test_the_announced_length_of_a_head_request(http: RequestsHttp, origin: Origin) -> None:
    reply = http.request("HEAD", origin.address)
    assert (reply.status, reply.body, reply.announced) == (200, b"", len(CONTENT))


def network_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "gprov-net"]


@pytest.mark.parametrize("behaviour", [endless_interim_answers, endless_trailers, drip_headers])
def test_nothing_is_left_running_behind_a_server_that_sends_headers_without_end(
    http: RequestsHttp, origin: Origin, target: Path, behaviour: Behaviour
) -> None:
    origin.script.extend([behaviour] * 2)
    began = time.monotonic()
    with pytest.raises(NetworkFault, match=r"within 0\.5 s|64 KiB"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, stall_seconds=0.5, attempts=1))
    with pytest.raises(NetworkFault, match=r"within 0\.5 s|64 KiB"):
        http.request("GET", origin.address, seconds=0.5)
    while network_threads() and time.monotonic() - began < 5:
        time.sleep(0.02)
    assert network_threads() == []


@pytest.mark.parametrize("code", [500, 503, 429, 408])
def test_a_request_is_repeated_while_the_server_is_not_ready(
    http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path, code: int
) -> None:
    origin.script.extend([status(code), status(code)])
    check(target, CONTENT, http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM)))
    assert clock.pauses == [2.0, 4.0]


@pytest.mark.parametrize(
    ("code", "words"), [(404, "not found"), (403, "403 Forbidden"), (410, "410 Gone"), (204, "204"), (304, "304")]
)
def test_a_refusal_is_final(
    http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path, code: int, words: str
) -> None:
    origin.script.append(status(code))
    with pytest.raises(NetworkFault, match=words) as caught:
        http.download(f"{origin.address}/x", str(target), nothing, TransferLimits(room=ROOM))
    assert caught.value.peer == f"{origin.address}/x"
    assert (len(origin.asked), clock.pauses) == (1, [])


def test_the_error_has_the_last_reason_without_a_final_pause(
    http: RequestsHttp, origin: Origin, clock: SkippingClock, target: Path
) -> None:
    origin.script.extend([status(500), status(500), status(503)])
    with pytest.raises(NetworkFault, match=r"answered 503 Service Unavailable \(3 attempts\)"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, attempts=3))
    assert clock.pauses == [2.0, 4.0]


def test_a_drip_is_a_stall(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.script.append(drip)
    began = time.monotonic()
    with pytest.raises(NetworkFault, match=r"came within 0\.5 s"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM, stall_seconds=0.5, attempts=1))
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("behaviour", [drip, drip_headers, stall(10), lambda h, o: o.release.wait(20)])
def test_a_request_ends_at_its_deadline_whatever_the_server_does(
    http: RequestsHttp, origin: Origin, behaviour: Behaviour
) -> None:
    origin.script.append(behaviour)
    began = time.monotonic()
    with pytest.raises(NetworkFault, match=r"within 0\.5 s|in time"):
        http.request("GET", origin.address, seconds=0.5)
    assert time.monotonic() - began < 15  # a busy machine takes its time


def test_connection_refused_is_a_network_fault(http: RequestsHttp, clock: SkippingClock, target: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(NetworkFault, match=r"Connection refused$"):
            http.request("GET", url)
        with pytest.raises(NetworkFault, match=r"Connection refused \(2 attempts\)"):
            http.download(url, str(target), nothing, TransferLimits(room=ROOM, attempts=2))
    assert clock.pauses == [2.0]


def test_a_name_that_does_not_exist(http: RequestsHttp) -> None:
    with pytest.raises(NetworkFault, match="cannot be resolved"):
        http.request("GET", "http://nowhere.invalid/")


def test_every_status_is_a_reply(http: RequestsHttp, origin: Origin) -> None:
    for code in (200, 201, 400, 404, 500, 503):
        origin.script.append(status(code, b"body"))
        reply = http.request("GET", origin.address)
        assert (reply.status, reply.body) == (code, b"body")
    assert len(origin.asked) == 6


def test_request_headers(http: RequestsHttp, origin: Origin) -> None:
    origin.script.append(status(200))
    http.request("POST", f"{origin.address}/a?b=c", body=b"{}", headers={"Content-Type": "application/json"})
    ((method, path, headers, body),) = origin.asked
    assert (method, path, headers["Content-Type"], body) == ("POST", "/a?b=c", "application/json", b"{}")


def test_a_body_that_is_too_long_or_too_short(http: RequestsHttp, origin: Origin) -> None:
    with pytest.raises(NetworkFault, match="longer than 1000 bytes"):
        http.request("GET", origin.address, limit=1000)
    origin.script.append(truncate(1000))
    with pytest.raises(NetworkFault, match="ended early"):
        http.request("GET", origin.address)
    origin.script.append(lambda h, o: h.answer(200, {"Content-Encoding": "gzip", "Content-Length": 3}, b"abc"))
    with pytest.raises(NetworkFault, match="encoded"):
        http.request("GET", origin.address)


def test_a_response_that_is_not_http_is_a_network_fault(http: RequestsHttp, origin: Origin) -> None:
    def speak_smtp(handler: Handler, origin: Origin) -> None:
        handler.wfile.write(b"220 smtp ready\r\n")

    origin.script.append(speak_smtp)
    with pytest.raises(NetworkFault, match="no valid HTTP"):
        http.request("GET", origin.address)
    origin.script.append(lambda handler, origin: handler.reset())
    with pytest.raises(NetworkFault, match="Connection reset"):
        http.request("GET", origin.address)
    with pytest.raises(NetworkFault, match="must begin with http"):
        http.request("GET", "file:///etc/passwd")


def test_redirects_are_followed_a_little(http: RequestsHttp, origin: Origin, target: Path) -> None:
    origin.script.extend([redirect("/b"), redirect(f"{origin.address}/c", 307)])
    check(target, CONTENT, http.download(f"{origin.address}/a", str(target), nothing, TransferLimits(room=ROOM)))
    assert [path for _, path, _, _ in origin.asked] == ["/a", "/b", "/c"]
    origin.script.extend([redirect("/")] * 10)
    with pytest.raises(NetworkFault, match="redirects more than 5 times"):
        http.download(origin.address, str(target), nothing, TransferLimits(room=ROOM))
    origin.script.clear()
    origin.script.append(redirect("file:///etc/passwd"))
    with pytest.raises(NetworkFault, match="redirects to file:///etc/passwd, which must begin with"):
        http.request("GET", origin.address)
    origin.script.append(redirect("http://["))
    with pytest.raises(NetworkFault, match="which is not a URL"):
        http.request("GET", origin.address)


def test_posted_data_is_not_sent_to_another_host(http: RequestsHttp, origin: Origin) -> None:
    origin.script.append(redirect("/elsewhere", 307))
    assert http.request("POST", origin.address, body=b"secret").status == 307
    assert len(origin.asked) == 1


def test_credentials_reach_the_server_but_no_message(http: RequestsHttp, origin: Origin, target: Path) -> None:
    token = "".join(("hid", "den"))  # tracebacks quote this file too
    url = origin.address.replace("//", "//joe:s%3Acret@") + f"/x?token={token}"
    origin.script.append(status(200))
    http.request("GET", url)
    assert origin.asked[0][2]["Authorization"] == "Basic am9lOnM6Y3JldA=="
    faults: list[NetworkFault] = []
    for behaviour in (status(404), truncate(5), lambda h, o: h.reset()):
        origin.script.append(behaviour)
        with pytest.raises(NetworkFault) as caught:
            http.download(url, str(target), nothing, TransferLimits(room=ROOM, attempts=1))
        faults.append(caught.value)
    with pytest.raises(NetworkFault) as caught:
        http.request("POST", url.replace(origin.address.rpartition(":")[2], "1"), body=token.encode())
    for fault in (*faults, caught.value):
        shown = "".join(traceback.format_exception(fault)) + str(fault) + fault.peer
        assert token not in shown
        assert "joe" not in shown


def test_where_the_file_cannot_be_written(http: RequestsHttp, origin: Origin, tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing):
        http.download(origin.address, str(tmp_path / "no" / "file"), nothing, TransferLimits(room=ROOM))
    link = tmp_path / "link"
    link.symlink_to("/etc/hostname-of-another-unit")
    with pytest.raises(DeviceFault):
        http.download(origin.address, str(link), nothing, TransferLimits(room=ROOM))
    assert origin.asked == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_not_a_network_fault(http: RequestsHttp, origin: Origin, clock: SkippingClock) -> None:
    with pytest.raises(DeviceFault):
        http.download(origin.address, "/dev/full", nothing, TransferLimits(room=ROOM))
    assert clock.pauses == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_certificates_are_checked(origin: Origin, clock: SkippingClock, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make, *extra], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = type("OriginHandler", (Handler,), {"origin": origin})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = f"https://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            trust = HttpTrust()
            http = RequestsHttp(clock, trust)
            with pytest.raises(RefusedByPolicy, match="no CA is known"):
                http.request("GET", url)
            origin.script.append(redirect(url))
            with pytest.raises(RefusedByPolicy, match="no CA is known"):
                http.request("GET", origin.address)
            trust.use(parse_ca("certificate", certificate.read_bytes()), check_dates=True)
            assert http.request("GET", url).body == CONTENT
            origin.script.append(redirect(origin.address))
            with pytest.raises(NetworkFault, match="which is not encrypted"):
                http.request("GET", url)
            trust.use(SystemCas(), check_dates=True)
            with pytest.raises(NetworkFault, match="certificate is not valid: self-signed"):
                http.request("GET", url)
        finally:
            server.shutdown()
            thread.join()
