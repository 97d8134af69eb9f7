"""Passwords of units from ACME's vault: ``GET <vault>/units/<serial>`` returns {"os": …, "bios": …, "ipmi": …}."""

from __future__ import annotations

from urllib.parse import quote

from typing_extensions import override

from gprov.domain.errors import BadInput, NetworkFault
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.clock import Clock
from gprov.ports.factory import CredentialStore
from gprov.ports.network import Http
from gprov.ports.retry import retried

DEFAULT_URL = "https://vault.acme.example"


class Vault(CredentialStore):
    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        url = f"{endpoint or DEFAULT_URL}/units/{quote(serial, safe='')}"
        return retried(self._clock, lambda: self._fetch(url), (1.0, 2.0, 4.0), NetworkFault)

    def _fetch(self, url: str) -> Credentials:
        reply = self._http.request("GET", url)
        if reply.status != 200:
            raise NetworkFault(url, f"status {reply.status}")
        try:
            found = read_object(url, reply.body)
            system, bios, ipmi = (Secret(found.text(key, required=True)) for key in ("os", "bios", "ipmi"))
            return finish(url, found, Credentials(system, bios, ipmi))
        except BadInput:  # its text may contain passwords
            raise NetworkFault(url, "the reply holds no credentials") from None
