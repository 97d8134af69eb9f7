"""Targets: what setting up a factory server reads: its settings, a folder of gprovision, offers of DHCP servers."""

from __future__ import annotations

import json

from fuzz.harness import Target, expect
from gprov.domain.factory.password_policy import parse_policy
from gprov.domain.factory.server_settings import parse_settings
from gprov.domain.factory.setup import gprovision
from gprov.domain.unit.dhcp_probe import parse_offer

_TRANSACTION = 7


def server_settings(data: bytes) -> None:
    settings = parse_settings("server.toml", data)
    expect(settings.problems() == [], "settings that contradict each other")


def password_rules(data: bytes) -> None:
    parse_policy("credentials.toml", data)


def earlier_factory(data: bytes) -> None:
    """A manufData.json of gprovision; what is rewritten names no file outside of the published folder."""
    gprovision.json_kind(data)
    for url in gprovision.named_urls(data):
        name = gprovision.published_name(url)
        expect(not {"", ".", ".."} & set(name.split("/")) or not name, "a name that leads out of the folder")
        gprovision.source_of(url, ["a/b", "b"])
    gprovision.kept_credential_endpoint(data)
    again = gprovision.rewritten(data, {}, "http://new")
    expect(again == data or isinstance(json.loads(again), dict), "no document")


def dhcp_offer(data: bytes) -> None:
    parse_offer(data, _TRANSACTION)


def _offers() -> list[bytes]:
    head = bytes([2, 1, 6, 0, 0, 0, 0, _TRANSACTION]) + bytes(8) + bytes([10, 0, 0, 77]) + bytes(216)
    return [head + bytes.fromhex("63825363") + bytes([53, 1, 2, 54, 4, 10, 0, 0, 1, 255])]


TARGETS = (
    Target(
        "server-settings",
        "settings of the factory server",
        server_settings,
        lambda: [b'[listen]\nhost = "10.0.0.1"\nport = 1\n[access]\nmode = "isolated"\n[limits]\nconnections = 5\n'],
        (b"[listen]", b"[store]", b"[tls]", b"names = [", b" = nan"),
    ),
    Target(
        "password-rules",
        "credentials.toml",
        password_rules,
        lambda: [
            (
                b'[os]\nlength = 20\n[platform.X.bios]\nalphabet = "ABCDEFGHJKLMNPQRSTUVWX23456789"\n'
                b'length = 8\nrequire = ["upper"]\n'
            )
        ],
        (b"[platform.", b"require", b"alphabet", b"length"),
    ),
    Target(
        "earlier-factory",
        "a factory folder of gprovision",
        earlier_factory,
        lambda: [
            b'{"Files":[{"Src":"http://h:1/a/b.upd","Sha1":"0"}],"LogEndpoint":"h:2","CredentialEndpoint":"pblog"}'
        ],
        (b'"Src"', b'"src"', b"http://", b"%2e%2e", b"/../", b"ApplianceJsonUrl"),
    ),
    Target("dhcp-offer", "offers of DHCP servers", dhcp_offer, _offers, (b"\x35\x01\x02", b"\x36\x04", b"\xff")),
)
