"""The real TrustStore and Http keep the contract that the simulated ones keep, with certificates that openssl made."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.net.server_trust import HttpTrust
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.unit.trust import parse_ca
from gprov.ports.network import Http, TrustStore
from tests.unit.contract.trust_contract import (
    CASES,
    CONTENT,
    Case,
    Shown,
    check_case,
    check_fetch,
    check_without_trust,
)


class Pki:
    """Two CAs, and a certificate of each kind; made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("ca", "other"):
            self._openssl("req", "-x509", *self._new_key(name), "-days", "9", "-subj", f"/CN={name}")
        self.ca = parse_ca("ca", (folder / "ca.pem").read_bytes())
        self.contexts = {shown: self._context(shown) for shown in Shown}

    def _context(self, shown: Shown) -> ssl.SSLContext:
        name = shown.value
        self._openssl("req", *self._new_key(name, f"{name}.csr"), "-subj", "/CN=server")
        address = "127.9.9.9" if shown is Shown.OTHER_NAME else "127.0.0.1"
        extensions = self._folder / "extensions"
        extensions.write_text(f"subjectAltName=IP:{address}\nbasicConstraints=CA:FALSE\n")
        issuer = "other" if shown is Shown.OTHER_CA else "ca"
        begins, ends = {
            Shown.EXPIRED: ("20200101000000Z", "20200102000000Z"),
            Shown.NOT_YET_VALID: ("20980101000000Z", "20990101000000Z"),
        }.get(shown, ("20200101000000Z", "20990101000000Z"))
        database = self._folder / f"{name}-database"
        database.mkdir()
        (database / "index.txt").touch()
        (database / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}/index.txt\nnew_certs_dir={database}\n"
            "default_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n"
        )
        self._openssl(
            *("ca", "-batch", "-notext", "-config", f"{database}/ca.cnf", "-cert", f"{issuer}.pem"),
            *("-keyfile", f"{issuer}.key", "-in", f"{name}.csr", "-out", f"{name}.pem"),
            *("-startdate", begins, "-enddate", ends, "-extfile", str(extensions)),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        return context

    def _new_key(self, name: str, output: str = "") -> tuple[str, ...]:
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        return (*kind, "-keyout", f"{name}.key", "-out", output or f"{name}.pem")

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60, cwd=self._folder)


class RealWorld:
    def __init__(self, pki: Pki, stack: ExitStack) -> None:
        self._pki = pki
        self.ca = pki.ca
        trust = HttpTrust()
        self.trust: TrustStore = trust
        self.http: Http = RequestsHttp(SystemClock(), trust)
        handler = type("Handler", (_Handler,), {"ca": pki.ca.pem.encode()})
        self.plain_url = f"http://127.0.0.1:{stack.enter_context(_serving(handler, None))}/file"
        self._ports = {
            shown: stack.enter_context(_serving(handler, context)) for shown, context in pki.contexts.items()
        }
        self.show(Shown.GOOD)

    def show(self, certificate: Shown) -> None:
        base = f"https://127.0.0.1:{self._ports[certificate]}"
        self.url, self.ca_url = f"{base}/file", f"{base}/ca.pem"


class _Handler(BaseHTTPRequestHandler):
    ca: bytes

    def do_GET(self) -> None:
        found = {"/file": CONTENT, "/ca.pem": self.ca}.get(self.path)
        body = found or b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust this server hangs up."""


@contextmanager
def _serving(handler: type[_Handler], context: ssl.SSLContext | None) -> Iterator[int]:
    with _Quiet(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def world(pki: Pki) -> Iterator[RealWorld]:
    with ExitStack() as stack:
        yield RealWorld(pki, stack)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_certificate(world: RealWorld, case: Case) -> None:
    check_case(world, case)


def test_without_trust(world: RealWorld) -> None:
    check_without_trust(world)


def test_fetching_a_ca(world: RealWorld) -> None:
    check_fetch(world)
