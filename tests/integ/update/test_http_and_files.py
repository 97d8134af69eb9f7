"""The agent's HTTP and unfinished downloads, with real servers and files."""

from __future__ import annotations

import hashlib
import http.server
import itertools
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.linux.update.http import ServerCertificate, StdUpdateServer
from gprov.adapters.linux.update.part_file import LinuxPartFiles
from gprov.domain.errors import BadInput, DeviceFault, HttpRefusal, NetworkFault
from gprov.domain.mfg.urls import is_same_origin
from tests.unit.contract.part_file_contract import PART_CHECKS, PartWorld
from tests.unit.contract.update_contract import CHECKS, CONTENT, UpdateWorld


class Site:
    """An HTTP server of the standard library with one file, redirections, and what a test wants of it."""

    def __init__(self) -> None:
        self.ranges = True
        self.ends_after: int | None = None
        self.tag = '"1"'
        self.content = CONTENT
        self.location = ""
        self.seen: list[dict[str, str]] = []
        self.headers: dict[str, str] = {}
        self.reply: Callable[[http.server.BaseHTTPRequestHandler], None] = self.send_file
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.seen.append(dict(self.headers.items()))
                site.reply(self)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(302 if self.path == "/moved" else 200)
                self.send_header("Location", "/file")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def send_file(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        if handler.path == "/moved":
            handler.send_response(302)
            handler.send_header("Location", self.location)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if handler.path != "/file":
            handler.send_error(404)
            return
        begin = self._begin(handler)
        if begin >= len(self.content):
            handler.send_error(416)
            return
        handler.send_response(206 if begin else 200)
        if begin:
            usual = f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"
            handler.send_header("Content-Range", self.headers.pop("Content-Range", usual))
        if self.ranges:
            handler.send_header("Accept-Ranges", "bytes")
        for name, value in {"ETag": self.tag, **self.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.content) - begin))
        handler.end_headers()
        end = len(self.content) if self.ends_after is None else begin + self.ends_after
        handler.wfile.write(self.content[begin:end])
        handler.close_connection = True

    def _begin(self, handler: http.server.BaseHTTPRequestHandler) -> int:
        wanted, proof = handler.headers.get("Range", ""), handler.headers.get("If-Range", self.tag)
        if not self.ranges or not wanted or proof != self.tag:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))


@contextmanager
def dripping(site: Site, what: bytes) -> Iterator[None]:
    """The site answers with a byte of it every now and then, for ever."""
    stop = threading.Event()

    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        for number in itertools.count():
            with suppress(OSError):
                handler.wfile.write(what if number == 0 else b"x")
            if stop.wait(0.02):
                handler.close_connection = True
                return

    site.reply = drip
    try:
        yield
    finally:
        stop.set()


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as one:
        yield one


@pytest.fixture
def port() -> StdUpdateServer:
    return StdUpdateServer(ServerCertificate())


class LinuxWorld:
    def __init__(self, site: Site, port: StdUpdateServer) -> None:
        self.site = site
        self.port = port
        self.url = f"{site.url}/file"

    def set(self, *, ranges: bool = True, ends_after: int | None = None) -> None:
        self.site.ranges, self.site.ends_after = ranges, ends_after

    def change(self) -> None:
        self.site.tag, self.site.content = '"2"', CONTENT[::-1]


@pytest.mark.parametrize("check", CHECKS)
def test_contract_of_the_server(site: Site, port: StdUpdateServer, check: Callable[[UpdateWorld], None]) -> None:
    check(LinuxWorld(site, port))


@pytest.mark.parametrize("check", PART_CHECKS)
def test_contract_of_files(tmp_path: Path, check: Callable[[PartWorld], None]) -> None:
    check(PartWorld(LinuxPartFiles(), str(tmp_path)))


def test_a_part_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "a.partial").symlink_to(tmp_path / "precious")
    with pytest.raises(DeviceFault), LinuxPartFiles().open(f"{tmp_path}/a.partial"):
        pass
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_a_file_that_is_shorter_than_what_was_there_is_another_one(site: Site, port: StdUpdateServer) -> None:
    with port.open(f"{site.url}/file", begin=len(CONTENT) + 5) as stream:
        assert (stream.begin, b"".join(stream.blocks())) == (0, CONTENT)


def test_another_part_than_was_asked_for(site: Site, port: StdUpdateServer) -> None:
    site.headers["Content-Range"] = "bytes 7-9/10"
    with pytest.raises(NetworkFault, match="another part"), port.open(f"{site.url}/file", begin=10):
        pass


def test_a_weak_tag_proves_nothing(site: Site, port: StdUpdateServer) -> None:
    site.tag = 'W/"1"'
    with port.open(f"{site.url}/file") as stream:
        assert stream.proof == ""


def test_the_token_does_not_follow_to_another_server(site: Site, port: StdUpdateServer) -> None:
    with serving(Site()) as other:
        site.location = f"{other.url}/file"
        with port.open(f"{site.url}/moved", headers={"Authorization": "TargetToken secret"}) as stream:
            assert b"".join(stream.blocks()) == CONTENT
        assert site.seen[0]["Authorization"] == "TargetToken secret"
        assert "Authorization" not in other.seen[0]
        site.location = "/file"
        with port.open(f"{site.url}/moved", headers={"Authorization": "TargetToken secret"}) as stream:
            assert b"".join(stream.blocks()) == CONTENT
        assert site.seen[-1]["Authorization"] == "TargetToken secret"


def test_redirections_without_end_and_to_nowhere(site: Site, port: StdUpdateServer) -> None:
    for location, text in (
        ("/moved", "more than 5 times"),
        ("", "is missing"),
        ("ftp://x/y", "must begin with http"),
        ("http://[x", "is not a URL"),
    ):
        site.location = location
        with pytest.raises(NetworkFault, match=text), port.open(f"{site.url}/moved"):
            pass


def test_posted_data_is_not_redirected(site: Site, port: StdUpdateServer) -> None:
    assert port.request("POST", f"{site.url}/moved", body=b"{}").status == 302
    assert port.request("POST", f"{site.url}/feedback", body=b"{}").body == b"{}"


def test_an_answer_without_end_is_not_read(site: Site, port: StdUpdateServer) -> None:
    with pytest.raises(NetworkFault, match="longer than 100 bytes"):
        port.request("GET", f"{site.url}/file", limit=100)
    site.headers["X-Long"] = "x" * 70000
    with pytest.raises(NetworkFault):
        port.request("GET", f"{site.url}/file")


def test_nobody_listens(port: StdUpdateServer) -> None:
    with pytest.raises(NetworkFault, match="Connection refused"):
        port.request("GET", "http://127.0.0.1:1/")
    with pytest.raises(NetworkFault, match="cannot be resolved"):
        port.request("GET", "http://updates.invalid/")


# --- https ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself; the key is in the same file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    words = ("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1")
    names = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt")
    subprocess.run([*words, *names], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[Site]:
    site = Site()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    site.scheme = "https"
    with serving(site) as one:
        yield one


def digest_of(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(Path(f"{certificate}.crt").read_text())
    return hashlib.sha256(der).hexdigest()


def test_a_server_that_its_ca_or_its_digest_vouches_for(encrypted: Site, certificate: Path) -> None:
    for trusted in (ServerCertificate(ca_file=f"{certificate}.crt"), ServerCertificate(pinned=digest_of(certificate))):
        assert StdUpdateServer(trusted).request("GET", f"{encrypted.url}/file").body == CONTENT


def test_a_server_that_is_not_trusted_gets_no_token(encrypted: Site, certificate: Path) -> None:
    for trusted, text in (
        (ServerCertificate(), "certificate is not valid"),
        (ServerCertificate(pinned="ab" * 32), "its certificate has the SHA-256"),
    ):
        port = StdUpdateServer(trusted)
        with pytest.raises(NetworkFault, match=text):
            port.request("GET", f"{encrypted.url}/file", headers={"Authorization": "TargetToken secret"})
    assert encrypted.seen == []


def test_encryption_does_not_end_on_the_way(encrypted: Site, certificate: Path, site: Site) -> None:
    encrypted.location = f"{site.url}/file"
    port = StdUpdateServer(ServerCertificate(ca_file=f"{certificate}.crt"))
    with pytest.raises(NetworkFault, match="not encrypted"), port.open(f"{encrypted.url}/moved"):
        pass
    assert site.seen == []


def test_a_file_of_no_ca(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for path in ("ca.pem", "missing.pem"):
        with pytest.raises(BadInput, match="no file of CA certificates"):
            StdUpdateServer(ServerCertificate(ca_file=str(tmp_path / path)))


def test_a_file_that_is_not_there(site: Site, port: StdUpdateServer) -> None:
    with pytest.raises(HttpRefusal, match="answered 404 Not Found"), port.open(f"{site.url}/nothing"):
        pass


@pytest.mark.parametrize(
    "what",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ny\r\n0\r\nX: ",
    ],
    ids=["headers", "body", "trailers"],
)
def test_a_server_that_never_ends_a_message(site: Site, what: bytes) -> None:
    with dripping(site, what), pytest.raises(NetworkFault, match=r"no whole answer within 0\.5 s"):
        StdUpdateServer(ServerCertificate(), whole=0.5).request("GET", f"{site.url}/file")


def test_a_server_that_never_ends_the_headers_of_a_file(site: Site) -> None:
    with dripping(site, b"HTTP/1.1 200 OK\r\nX: "):
        port = StdUpdateServer(ServerCertificate(), whole=0.5)
        with pytest.raises(NetworkFault, match=r"no whole answer within 0\.5 s"), port.open(f"{site.url}/file"):
            pass


def test_the_time_in_which_a_file_is_written_does_not_count(site: Site) -> None:
    """Nor does that of a message for the file that comes behind it."""
    site.content = bytes(range(256)) * (8 << 10)
    port = StdUpdateServer(ServerCertificate(), whole=0.2)
    with port.open(f"{site.url}/file") as stream:
        blocks = stream.blocks()
        begin = next(blocks)
        threading.Event().wait(0.5)
        assert begin + b"".join(blocks) == site.content


def test_the_same_server_by_its_port_or_without() -> None:
    for one, other, same in (
        ("https://a/x", "https://A:443/y", True),
        ("http://a:80", "http://a", True),
        ("https://a", "http://a:443", False),
        ("https://a:8443", "https://a", False),
        ("https://a", "https://a.b", False),
        ("https://[::1]:443", "https://[::1]", True),
    ):
        assert is_same_origin(one, other) is same, (one, other)
