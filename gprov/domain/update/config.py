"""``update.toml``: the server of a unit's updates, and what its owner allows.

Unknown keys are refused: a misspelt one would leave a default that its owner did not want.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from posixpath import normpath

from gprov.domain.errors import BadInput
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish
from gprov.domain.formats.json.toml import read_table
from gprov.domain.mfg.urls import redacted, url_problem
from gprov.domain.update.window import Window, parse_window

CONFIG_FILE = "update.toml"
MAX_CONFIG = 64 << 10  # bytes
SERIAL = "serial"
_TENANT = "DEFAULT"
_KEYS = (
    "server",
    "tenant",
    "controller_id",
    "target_token_file",
    "gateway_token_file",
    "ca_file",
    "server_sha256",
    "allow_http",
    "window",
    "confirm",
    "forced",
    "reboot",
    "attributes",
)
_PLAIN = re.compile(r"[A-Za-z0-9._~-]{1,256}")  # one component of a URL, RFC 3986, section 2.3
_DIGEST = re.compile(r"(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})")
# What ProtectHome=yes of the service hides from it (systemd.exec(5)).
_HIDDEN = ("/root", "/home", "/run/user")
_YES_NO = {"yes": True, "no": False}


class Confirmation(StrEnum):
    """Who agrees to a restore, besides the server: AUTO: no one has to; OWNER: a person, with
    ``gprov-update confirm``."""

    AUTO = "auto"
    OWNER = "owner"


class ForcedUpdates(StrEnum):
    """When a deployment that the server calls forced is installed: in the owner's window like all others, or at
    once."""

    WINDOW = "window"
    AT_ONCE = "at-once"


class TokenKind(StrEnum):
    """Of the header ``Authorization`` (hawkBit's documentation, "Security")."""

    TARGET = "TargetToken"
    GATEWAY = "GatewayToken"


@dataclass(frozen=True, slots=True)
class TokenFile:
    kind: TokenKind
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConfig:
    """``server``: URL without a slash at its end. ``controller_id``: "" for the unit's serial number. ``token``: None
    if the server wants none. ``ca_file``: PEM file with the CAs of the server, "" for those of the system.
    ``server_sha256``: hexadecimal digest of the server's own certificate (DER), in place of any CA. ``attributes``: of
    the unit on the server, besides the agent's own."""

    server: str
    tenant: str = _TENANT
    controller_id: str = ""
    token: TokenFile | None = None
    ca_file: str = ""
    server_sha256: str = ""
    allow_http: bool = False
    windows: tuple[Window, ...] = ()
    confirm: Confirmation = Confirmation.AUTO
    forced: ForcedUpdates = ForcedUpdates.WINDOW
    reboot: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)


def parse_config(source: str, data: bytes) -> UpdateConfig:
    """``source``: name of the file, for messages. Raises BadInput with every problem."""
    root = read_table(source, data)
    for key in root.all_keys():
        if key not in _KEYS:
            root.problem(key, f"is not a key of this file; known: {', '.join(_KEYS)}")
    allow_http = root.boolean("allow_http")
    config = UpdateConfig(
        server=_server(root, allow_http=allow_http),
        tenant=_plain(root, "tenant", _TENANT),
        controller_id=_controller_id(root),
        token=_token(root),
        ca_file=_path(root, "ca_file"),
        server_sha256=_fingerprint(root),
        allow_http=allow_http,
        windows=_windows(root),
        confirm=root.one_of("confirm", {one.value: one for one in Confirmation}, Confirmation.AUTO),
        forced=root.one_of("forced", {one.value: one for one in ForcedUpdates}, ForcedUpdates.WINDOW),
        reboot=root.one_of("reboot", _YES_NO, True),
        attributes=root.string_map("attributes"),
    )
    if config.ca_file and config.server_sha256:
        root.problem("server_sha256", "stands beside ca_file: give one of the two")
    return finish(source, root, config)


def _server(root: JsonObject, *, allow_http: bool) -> str:
    url = root.text("server", required=True).strip()
    if not url:
        return ""
    problem = url_problem(url)
    if problem:
        root.problem("server", problem)
    elif "@" in url or "?" in url or "#" in url:
        root.problem("server", f"must have no name, password, query or fragment, is {redacted(url)!r}")
    elif url.lower().startswith("http:") and not allow_http:
        root.problem("server", "is not encrypted: use https, or write allow_http = true for a network that you trust")
    return url.rstrip("/")


def _controller_id(root: JsonObject) -> str:
    text = _plain(root, "controller_id", SERIAL)
    return "" if text == SERIAL else text


def _plain(root: JsonObject, key: str, default: str) -> str:
    text = root.text(key, default)
    if not _PLAIN.fullmatch(text):
        root.problem(key, f"must be 1 to 256 of the characters A-Z a-z 0-9 . _ ~ -, is {text[:40]!r}")
    return text


def _token(root: JsonObject) -> TokenFile | None:
    target, gateway = _path(root, "target_token_file"), _path(root, "gateway_token_file")
    if target and gateway:
        root.problem("gateway_token_file", "stands beside target_token_file: give one of the two")
    if target:
        return TokenFile(TokenKind.TARGET, target)
    return TokenFile(TokenKind.GATEWAY, gateway) if gateway else None


def _path(root: JsonObject, key: str) -> str:
    path = root.text(key)
    if path and (not path.startswith("/") or not path.isprintable()):
        root.problem(key, f"must be an absolute path, is {path[:40]!r}")
    elif folder := next((one for one in _HIDDEN if f"{normpath(path)}/".startswith(f"{one}/")), None):
        root.problem(key, f"is below {folder}, which the service cannot see: put the file on RECOVERY, or below /etc")
    return path


def _fingerprint(root: JsonObject) -> str:
    text = root.text("server_sha256").strip().lower()
    if not text:
        return ""
    match = _DIGEST.fullmatch(text)
    if match is None:
        root.problem("server_sha256", f"must be 64 hexadecimal digits, is {text[:80]!r}")
        return ""
    return match[1].replace(":", "")


def _windows(root: JsonObject) -> tuple[Window, ...]:
    windows: list[Window] = []
    for number, text in enumerate(root.texts("window")):
        try:
            windows.append(parse_window(text))
        except BadInput as error:
            root.problem(f"window[{number}]", error.problems[0].message)
    return tuple(windows)
