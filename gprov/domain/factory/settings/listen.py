"""[listen]: where the server can be reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from typing_extensions import Doc

from gprov.domain.factory.messages import AtMost
from gprov.domain.factory.netboot import base_problem
from gprov.domain.factory.settings.kinds import Checked, Section, Whole, refusal

_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


def host_name(text: str) -> str:
    """A DNS name or an IP address, in lower case. Raises BadInput."""
    try:
        return str(ip_address(text))
    except ValueError:
        if not _NAME.fullmatch(text):
            raise refusal(f"{text[:80]!r} is neither a host name nor an IP address") from None
        return text.lower()


def base_url(text: str) -> str:
    """The URL of a server without the slash at its end. Raises BadInput."""
    problem = base_problem(text)
    if problem:
        raise refusal(problem)
    return text.rstrip("/")


HOST = Checked(fit=host_name)
PUBLIC_URL = Checked(fit=base_url, empty=True)
PORT = Whole(0, 65535)

# Of a server that listens on all of its addresses: no name for a certificate.
_ANY = ("0.0.0.0", "::")  # noqa: S104 - nothing is bound here


@dataclass(frozen=True, kw_only=True)
class Listen(Section):
    host: Annotated[str, HOST, Doc("address to listen on: the server's address on the factory network")] = "127.0.0.1"
    port: Annotated[int, PORT, Doc("TCP port; 0: any free one")] = 8901
    public_url: Annotated[
        str,
        PUBLIC_URL,
        Doc("URL of this server for machines that start over the network; empty: the address that they used"),
    ] = ""
    names: Annotated[
        tuple[Annotated[str, HOST], ...],
        AtMost(64),
        Doc("names and addresses by which clients reach this server, besides `host` and that of `public_url`"),
    ] = ()

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every name and address by which clients reach this server."""
        public = urlsplit(self.public_url).hostname or ""
        return tuple(dict.fromkeys(each for each in (self.host, *self.names, public) if each and each not in _ANY))
