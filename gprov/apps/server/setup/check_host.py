"""Checks of this host: address and port, room, modes of private files, the key of the store, the clock."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import gprov
from gprov.adapters.linux.keys.key_file import KeyFile
from gprov.apps.server.setup.reading import read_small
from gprov.apps.server.store.database import store_path
from gprov.apps.server.store.presence import sole_server
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, NetworkFault
from gprov.domain.factory.replies import decode_time
from gprov.domain.factory.requests import API, TIME
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.tls import BootPort
from gprov.domain.factory.setup.finding import Finding, problem, problems_of, warning
from gprov.domain.factory.setup.new_folder import FILES
from gprov.domain.factory.setup.unit_file import CREDENTIAL, UNIT_NAME
from gprov.ports.network import Http

_PRIVATE = ("documents", "store")
_OTHERS = 0o077
_SCARCE_PERCENT = 5
_MANY_BYTES = 50 << 30  # left free: enough, whatever the size of the volume
_CREDENTIAL = re.compile(rf"^LoadCredential={CREDENTIAL}:(.+)$", re.MULTILINE)
_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCheck:
    """``key_file``: of the store; "" for the one that the service in the folder names, or else for ``default_key``."""

    folder: str
    settings: ServerSettings
    http: Http
    key_file: str
    default_key: str

    def findings(self) -> Iterator[Finding]:
        yield from self._address()
        yield from self._room()
        yield from self._modes()
        yield from self._key()
        yield from self._clock()

    def _address(self) -> Iterator[Finding]:
        listen, tls = self.settings.listen, self.settings.tls
        yield from self._port(listen.host, listen.port, "port in [listen]")
        if tls.boot is not BootPort.OFF:
            yield from self._port(listen.host, tls.boot_port, "boot_port in [tls]")
        if self._is_running():
            yield from self._answer(f"{listen.host} port {listen.port}")

    def _port(self, host: str, port: int, setting: str) -> Iterator[Finding]:
        where = f"{host} port {port}"
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with closing(socket.socket(*found[:3])) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(found[4])
        except OSError as exc:
            if exc.errno == errno.EADDRNOTAVAIL:
                yield problem(where, "no interface of this host has the address", "set host in [listen] of server.toml")
            elif exc.errno != errno.EADDRINUSE:
                yield problem(where, f"the server cannot listen there: {exc.strerror}")
            elif not self._is_running():
                yield problem(where, "is in use by another program", f"stop it, or set {setting} of server.toml")

    def _is_running(self) -> bool:
        """Whether a server runs on this folder."""
        url = self.settings.store.database
        if not url and not os.path.exists(f"{store_path(self.folder)}.lock"):
            return False
        try:
            with sole_server(self.folder, url):
                return False
        except DeviceFault:
            return True

    def _answer(self, where: str) -> Iterator[Finding]:
        listen = self.settings.listen
        scheme = "https" if self.settings.tls.encrypted else "http"
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        try:
            reply = self.http.request("GET", f"{scheme}://{host}:{listen.port}{API}/{TIME}", seconds=10)
            decode_time(reply.body)
        except (NetworkFault, BadInput) as error:
            yield problem(where, f"the running server does not answer as it should: {error}", "see its log")

    def _room(self) -> Iterator[Finding]:
        try:
            volume = os.statvfs(self.folder)
        except OSError as exc:
            yield problem(self.folder, f"cannot be used: {exc.strerror}")
            return
        free, whole = volume.f_bavail * volume.f_frsize, volume.f_blocks * volume.f_frsize
        least = self.settings.limits.free_mebibytes << 20
        shown = f"{free >> 20} MiB of {whole >> 20} MiB are free"
        if free <= least:
            yield problem(self.folder, f"{shown}: the server refuses new units and documents", "make room")
        elif free < min(whole * _SCARCE_PERCENT // 100, _MANY_BYTES):
            yield warning(self.folder, f"{shown}", "make room")

    def _modes(self) -> Iterator[Finding]:
        for name in _PRIVATE:
            path = os.path.join(self.folder, name)
            if os.path.isdir(path) and os.stat(path).st_mode & _OTHERS:
                mode = stat.S_IMODE(os.stat(path).st_mode)
                yield problem(path, f"can be read by other users (mode {mode:04o})", "chmod 700")

    def _key(self) -> Iterator[Finding]:
        path = self.key_file or self._loaded_credential() or self.default_key
        try:
            if os.path.exists(path):
                KeyFile(path, self.folder).fresh()
            elif os.path.exists(store_path(self.folder)):
                yield problem(
                    path, "the key of the store is missing", "restore it from its copy; name it with --key-file"
                )
            else:
                yield warning(path, "there is no key of the store yet", "the first start of the server makes it")
        except BadInput as error:
            yield from problems_of(error)
        except DeviceMissing as fault:
            yield problem(fault.subject, fault.reason)
        except DeviceFault as fault:
            yield warning(
                fault.subject, f"{fault.reason}: the key of the store was not checked", "run the check as root"
            )

    def _loaded_credential(self) -> str:
        try:
            text = read_small(os.path.join(self.folder, UNIT_NAME)).decode(errors="replace")
        except DeviceFault:
            return ""
        found = _CREDENTIAL.search(text)
        return found[1].strip() if found else ""

    def _clock(self) -> Iterator[Finding]:
        now = time.time()
        installed = os.stat(gprov.__file__).st_mtime
        if now < installed - _DAY:
            yield problem("clock", "is before the time at which gprov was installed", "set it; timedatectl")
        folder = os.path.join(self.folder, FILES)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        late = [name for name in names if os.lstat(os.path.join(folder, name)).st_mtime > now + _DAY]
        if late:
            yield warning("clock", f"is before the time of {folder}/{min(late)}", "set the clock, or touch the file")
