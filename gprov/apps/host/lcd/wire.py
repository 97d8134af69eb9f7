"""The end of a serial line: a pseudo-terminal, or a stream socket without framing.

A display does not wait for a host that reads nothing: what the host's buffer does not take is lost.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import stat
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from typing_extensions import override

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.domain.errors import DeviceFault

_PIECE = 4096


class WireClosed(DeviceFault):
    """The other end has closed the line for good."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "the other end has closed the connection")


class Wire(Protocol):
    @property
    def name(self) -> str:
        """Where a host finds the line: a path, or HOST:PORT."""

    def receive(self, seconds: float) -> bytes:
        """Return what has come; waits for it at most ``seconds``. Raises WireClosed if nothing can come any more."""

    def send(self, data: bytes) -> None:
        """Never blocks. Raises WireClosed."""

    def close(self) -> None:
        """The host sees the line end."""


class PtyWire(Wire):
    """A new pseudo-terminal. ``link``: a symbolic link to it, "" for none; an existing link is replaced, and removed at
    the end. Raises DeviceFault."""

    def __init__(self, link: str = "") -> None:
        self._link = link
        self._master, self._slave = pty.openpty()  # a pseudo-terminal without an open slave reads as broken
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._target = os.ttyname(self._slave)
        if link:
            try:
                _replace_link(link, self._target)
            except DeviceFault:
                self._link = ""
                self.close()
                raise

    @property
    @override
    def name(self) -> str:
        return self._link or self._target

    @override
    def receive(self, seconds: float) -> bytes:
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        with suppress(BlockingIOError):
            return os.read(self._master, _PIECE)
        return b""

    @override
    def send(self, data: bytes) -> None:
        with suppress(BlockingIOError):
            os.write(self._master, data)

    @override
    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)
        if self._link:
            with suppress(OSError):
                os.unlink(self._link)


class ConnectedWire(Wire):
    """A connection to a socket on which another program listens, such as QEMU with ``server=on``."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._connection = connection
        self._name = name
        connection.setblocking(False)

    @classmethod
    def to_unix(cls, path: str) -> ConnectedWire:
        """Raises DeviceFault."""
        with _closed_on_error(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
            with os_errors_translated(path):
                connection.connect(path)
            return cls(connection, path)

    @property
    @override
    def name(self) -> str:
        return self._name

    @override
    def receive(self, seconds: float) -> bytes:
        try:
            if not select.select([self._connection], [], [], seconds)[0]:
                return b""
            data = self._connection.recv(_PIECE)
        except BlockingIOError:
            return b""
        except OSError as exc:
            raise WireClosed(self._name) from exc
        if not data:
            raise WireClosed(self._name)
        return data

    @override
    def send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except BlockingIOError:
            return
        except OSError as exc:
            raise WireClosed(self._name) from exc

    @override
    def close(self) -> None:
        self._connection.close()


class ListeningWire(Wire):
    """Listens on a socket and serves one host at a time; the next may connect when it has gone."""

    def __init__(self, listener: socket.socket, name: str, path: str = "") -> None:
        self._listener = listener
        self._name = name
        self._path = path
        self._host: ConnectedWire | None = None

    @classmethod
    def on_tcp(cls, host: str, port: int) -> ListeningWire:
        """``port`` 0: a free one. Raises DeviceFault."""
        name = f"{host}:{port}"
        with os_errors_translated(name):
            listener = socket.create_server((host, port), backlog=1)
        return cls(listener, f"{host}:{listener.getsockname()[1]}")

    @classmethod
    def on_unix(cls, path: str) -> ListeningWire:
        """Replaces a socket on which no program listens any more. Raises DeviceFault."""
        _remove_dead_socket(path)
        with _closed_on_error(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
            with os_errors_translated(path):
                listener.bind(path)
                listener.listen(1)
            return cls(listener, path, path)

    @property
    @override
    def name(self) -> str:
        return self._name

    @override
    def receive(self, seconds: float) -> bytes:
        if self._host is None:
            if not select.select([self._listener], [], [], seconds)[0]:
                return b""
            self._host = ConnectedWire(self._listener.accept()[0], self._name)
        try:
            return self._host.receive(seconds)
        except WireClosed:
            self._disconnect()
            return b""

    @override
    def send(self, data: bytes) -> None:
        host = self._host  # the thread that receives may find that it has gone
        if host is not None:
            try:
                host.send(data)
            except WireClosed:
                self._disconnect()

    @override
    def close(self) -> None:
        self._disconnect()
        self._listener.close()
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)

    def _disconnect(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None


@contextmanager
def _closed_on_error(connection: socket.socket) -> Iterator[socket.socket]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _replace_link(link: str, target: str) -> None:
    with os_errors_translated(link):
        if os.path.islink(link):
            os.unlink(link)
        elif os.path.lexists(link):
            raise DeviceFault(link, "exists and is no symbolic link")
        os.symlink(target, link)


def _remove_dead_socket(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise DeviceFault(path, "exists and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            os.unlink(path)
            return
    raise DeviceFault(path, "another program listens on this socket")
