"""Content of a new factory folder, and how one of gprovision becomes one."""

from __future__ import annotations

import json
import tomllib
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.factory.dnsmasq import AddressRange, NetbootService
from gprov.domain.factory.server_settings import ServerSettings, parse_settings
from gprov.domain.factory.settings.access import AccessMode
from gprov.domain.factory.settings.listen import Listen
from gprov.domain.factory.settings.tls import TlsMode
from gprov.domain.factory.setup import gprovision
from gprov.domain.factory.setup.gprovision import JsonKind, TakenFile
from gprov.domain.factory.setup.new_folder import new_files
from gprov.domain.factory.setup.own_files import own_addresses, own_path
from gprov.domain.factory.setup.plan import FactoryPlan, PublishedFile, boot_url
from gprov.domain.factory.setup.readme import readme
from gprov.domain.factory.setup.settings_text import toml_text
from gprov.domain.factory.setup.templates import appliance_template, manuf_template
from gprov.domain.factory.setup.unit_file import unit_file
from gprov.domain.formats.json.unfilled import MARK
from gprov.domain.mfg.manuf import parse_manuf
from gprov.domain.platform.table import parse_platform_table

SERVICE = NetbootService(
    "eth1", "http://10.1.0.1:8901/", AddressRange(IPv4Address("10.1.0.100"), IPv4Address("10.1.0.200"))
)
IMAGE = PublishedFile("WIDGET.LNX.SHINY.2026-01-15.1.upd", 1000, "a" * 64)
KERNEL = PublishedFile("norm_boot", 50, "b" * 64)


def plan(**changes: Any) -> FactoryPlan:
    usual: dict[str, Any] = {
        "folder": "/srv/factory",
        "server": "http://10.1.0.1:8901",
        "netboot": SERVICE,
        "isolated": True,
        "program": "/opt/gprov/bin/gprov",
        "user": "gprov",
        "key_file": "/etc/gprov/server.key",
    }
    return FactoryPlan(**{**usual, **changes})


def filled(data: bytes, values: dict[str, object]) -> bytes:
    """The document with a value for each placeholder; ``values``: by the beginning of what it asks for."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        if isinstance(value, str) and value.startswith(MARK):
            return next(new for asked, new in values.items() if value.startswith(f"{MARK}: {asked}"))
        return value

    return json.dumps(fill(json.loads(data))).encode()


ANSWERS: dict[str, object] = {
    "URL of the image": "http://10.1.0.1:8901/files/WIDGET.LNX.SHINY.2026-01-15.1.upd",
    "URL of the boot kernel": "http://10.1.0.1:8901/files/norm_boot",
    "size": 1 << 34,
    "SHA-256": "c" * 64,
    "code name": "X7",
    "name of": "x",
    "manufacturer": "ACME",
    "product": "X",
}


def test_the_readme_names_a_key_file_that_commands_do_not_find_by_themselves() -> None:
    usual = readme(plan(isolated=False)).decode()
    assert "--key-file" not in usual
    other = readme(plan(isolated=False, key_file="/root/k", usual_key=False)).decode()
    assert "--role manage --data /srv/factory --key-file /root/k`" in other
    assert "`gprov server check --data /srv/factory --key-file /root/k`" in other
    assert "need `--key-file /root/k`" in other


@pytest.mark.parametrize("published", [(), (IMAGE,), (IMAGE, KERNEL, PublishedFile("provision.pxe", 1, "d" * 64))])
def test_templates_are_valid_when_they_are_filled_in(published: tuple[PublishedFile, ...]) -> None:
    template = manuf_template(plan(published=published))
    table = filled(appliance_template(), ANSWERS)
    platforms = parse_platform_table("appliance.json", table)
    manuf = parse_manuf("manufData.json", filled(template, ANSWERS), Branding(), platforms)
    assert (manuf.warnings, manuf.log_endpoint) == ((), "http://10.1.0.1:8901/")
    assert sorted(file.name for file in manuf.files) == [IMAGE.name, KERNEL.name]
    assert [file.size for file in manuf.files if file.name == IMAGE.name] == [1000 if published else 1 << 34]


def test_each_placeholder_is_reported_once_at_its_place() -> None:
    for parse, template in (
        (lambda data: parse_manuf("x", data, Branding()), manuf_template(plan(published=(IMAGE, KERNEL)))),
        (lambda data: parse_platform_table("x", data), appliance_template()),
    ):
        with pytest.raises(BadInput) as caught:
            parse(template)
        assert len(caught.value.problems) == template.count(MARK.encode())
        assert all(problem.message.startswith("is not filled in yet: ") for problem in caught.value.problems)


def settings(made: FactoryPlan) -> ServerSettings:
    (file,) = (each for each in new_files(made) if each.path == "server.toml")
    return parse_settings("server.toml", file.content)


def test_the_settings_are_those_of_the_server() -> None:
    plain, encrypted = settings(plan()), settings(plan(server="https://factory.example", isolated=False))
    assert plain.listen == Listen(host="10.1.0.1", port=8901, public_url="http://10.1.0.1:8901")
    assert (plain.access.mode, plain.tls.mode) == (AccessMode.ISOLATED, TlsMode.OFF)
    assert encrypted.listen == Listen(host="factory.example", port=443, public_url="https://factory.example")
    assert (encrypted.access.mode, encrypted.tls.mode) == (AccessMode.ACCOUNTS, TlsMode.OWN_CA)


@pytest.mark.parametrize(
    ("server", "boot"),
    [
        ("http://10.1.0.1:8901", "http://10.1.0.1:8901"),
        ("https://10.1.0.1:8901", "http://10.1.0.1:8900"),
        ("https://[fe80::1]", "http://[fe80::1]:8900"),
    ],
)
def test_where_ipxe_asks(server: str, boot: str) -> None:
    assert boot_url(server) == boot


TEXT = st.text()


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,9}", fullmatch=True),
        st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | st.tuples(TEXT),
        max_size=4,
    )
)
def test_any_setting_is_written_as_toml(values: dict[str, Any]) -> None:
    text = toml_text({"more": values})
    expected = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    assert tomllib.loads(text.decode())["more"] == expected


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"folder": "/srv/a b"}, ["folder"]),
        ({"program": "gprov", "key_file": "/etc/%i"}, ["program", "key file"]),
        ({"user": "no user"}, ["user"]),
    ],
)
def test_what_cannot_stand_in_a_unit_file(changes: dict[str, str], places: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        unit_file(plan(**changes))
    assert [problem.place for problem in caught.value.problems] == places


def test_a_low_port_needs_a_capability() -> None:
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in unit_file(plan(server="https://10.1.0.1"))
    assert "AmbientCapabilities=\n" in unit_file(plan())


def test_a_program_in_a_home_folder_can_be_read() -> None:
    assert "ProtectHome=read-only\n" in unit_file(plan(program="/home/anna/.venv/bin/gprov"))
    assert "ProtectHome=yes\n" in unit_file(plan())


SETTINGS = ServerSettings(listen=Listen(host="10.1.0.1", names=("factory.example",), public_url="http://proxy:80"))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://10.1.0.1:8901/files/a/b%20c", "a/b c"),
        ("http://FACTORY.example:8901/files/x?y", "x"),
        ("http://proxy/files/x", "x"),
        ("http://10.1.0.1/files/x", None),
        ("http://10.1.0.2:8901/files/x", None),
        ("http://10.1.0.1:8901/other/x", None),
    ],
)
def test_which_urls_are_files_of_this_server(url: str, path: str | None) -> None:
    assert own_path(url, own_addresses(SETTINGS)) == path


@pytest.mark.parametrize(
    ("url", "paths", "source"),
    [
        ("http://a/x/y.upd", ["x/y.upd", "y.upd"], "x/y.upd"),
        ("http://a/x/y.upd", ["web/x/y.upd", "old/y.upd"], "web/x/y.upd"),
        ("http://a/x/y.upd", ["y.upd"], "y.upd"),
        ("http://a/x/y.upd", ["a/y.upd", "b/y.upd"], None),
        ("http://a/y.upd", ["my.upd"], None),
        ("http://a/../../etc/passwd", ["etc/passwd"], "etc/passwd"),
        ("http://a/", ["index.html"], None),
    ],
)
def test_which_file_was_published_at_a_url(url: str, paths: list[str], source: str | None) -> None:
    assert gprovision.source_of(url, paths) == source


def test_published_names_stay_below_the_folder() -> None:
    assert gprovision.published_name("http://a/%2e%2e/../b/./c%20d?e") == "b/c d"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"FILES": [], "validationData": []}', JsonKind.MANUF),
        ('{"Variants": []}', JsonKind.PLATFORMS),
        ("[]", JsonKind.OTHER),
        ("{", JsonKind.OTHER),
    ],
)
def test_kinds_of_json(text: str, kind: JsonKind) -> None:
    assert gprovision.json_kind(text.encode()) is kind


@pytest.mark.parametrize(
    ("stated", "left", "noted"),
    [("pblog", None, ""), ("PBLOG", None, ""), ("http://vault/", "http://vault/", "http://vault/")],
)
def test_endpoints_of_passwords(stated: str, left: str | None, noted: str) -> None:
    data = json.dumps({"Files": [], "credentialEndpoint": stated, "logendpoint": "x:1"}).encode()
    document = json.loads(gprovision.rewritten(data, {}, "http://new"))
    assert (document.get("credentialEndpoint"), document["logendpoint"]) == (left, "http://new/")
    assert gprovision.kept_credential_endpoint(data) == noted


KEYS = st.text(max_size=8) | st.just("Src")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4) | JSON)
def test_nothing_but_urls_is_rewritten(document: Any) -> None:
    data = json.dumps(document).encode()
    assert gprovision.named_urls(data) == []
    again = json.loads(gprovision.rewritten(data, {}, "http://new"))
    if isinstance(document, dict):
        endpoint = next((key for key in document if key.lower() == "logendpoint"), "LogEndpoint")
        assert again.pop(endpoint) == "http://new/"
        document.pop(endpoint, None)
    assert again == document


def test_urls_sizes_and_hashes_are_rewritten() -> None:
    data = b'{"Files": [{"src": "http://a/x", "SHA256": "old"}], "ApplianceJsonUrl": "http://a/t.json"}'
    taken = {"http://a/x": TakenFile("x", 3, "new"), "http://a/t.json": TakenFile("t.json", 1, "t")}
    assert gprovision.named_urls(data) == ["http://a/x", "http://a/t.json"]
    assert json.loads(gprovision.rewritten(data, taken, "http://n")) == {
        "Files": [{"src": "http://n/files/x", "SHA256": "new", "Size": 3}],
        "ApplianceJsonUrl": "http://n/files/t.json",
        "LogEndpoint": "http://n/",
    }
