"""Encrypted connections: the same bounds, and one for the handshake."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from tests.integ.server.attacks.attacked import MIB, Attacked, exchange, is_open
from tests.integ.server.attacks.conftest import Start
from tests.integ.server.attacks.test_connections import GET, opened, until

LIMITS = "[limits]\nhandshake_seconds = 1\nhead_seconds = 1\nidle_seconds = 1\n"
# A record of 512 bytes is announced.
BEGUN = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """Of a server with a certificate that openssl made."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9")
    files = (
        "-keyout",
        str(key),
        "-out",
        str(certificate),
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    )
    subprocess.run([*new, *files], check=True, capture_output=True)
    key.chmod(0o600)
    return f'[tls]\nmode = "files"\ncertificate = "{certificate}"\nkey = "{key}"\n{LIMITS}'


def encrypted(server: Attacked, stack: ExitStack, source: str) -> ssl.SSLSocket:
    """Whose certificate it is does not matter here."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return stack.enter_context(closing(context.wrap_socket(server.connect(source))))


def test_handshakes_that_never_end(start: Start, settings: str) -> None:
    server = start(settings)
    before = server.sockets()
    with ExitStack() as stack:
        peers = opened(stack, server, "127.0.0.66", 150)
        for number, peer in enumerate(peers):
            if number % 3:
                send(peer, BEGUN if number % 3 == 1 else b"GET / HTTP/1.1\r\n\r\n")
        until(lambda: server.sockets() >= before)
        assert server.sockets() <= before + 100
        assert b" 200 " in exchange(encrypted(server, stack, "127.0.0.2"), GET + b"Connection: close\r\n\r\n")
        until(lambda: not any(is_open(peer) for peer in peers), 10)
        idle = encrypted(server, stack, "127.0.0.66")
        until(lambda: server.sockets() == before, 10)
        assert idle.recv(1) == b""
    assert len(server.log) < 50_000


def send(peer: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # closed already
        peer.sendall(data)


@pytest.mark.nightly
def test_replies_that_are_not_read(start: Start, settings: str) -> None:
    server = start(f"{settings}reply_stall_seconds = 1\n")
    (server.data / "files" / "image").write_bytes(bytes(24 * MIB))
    before = server.sockets()
    with ExitStack() as stack:
        for _ in range(5):
            peer = encrypted(server, stack, "127.0.0.66")
            peer.sendall(b"GET /files/image HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)
        assert server.sockets() == before + 5
        until(lambda: server.sockets() == before, 20)
