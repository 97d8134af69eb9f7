"""Where ``gprov server`` has the key of its store from: options, and what is used without any."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.output import say
from gprov.domain.errors import BadInput, DeviceFault, Problem
from gprov.domain.unit.credentials import Secret

if TYPE_CHECKING:
    from gprov.ports.secretbox import KeyProvider

CREDENTIAL = "gprov-server-key"
SYSTEM_KEY = "/etc/gprov/server.key"
_MOST = 4096

KeyFileOption = Annotated[
    str | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help=f"key of the store (default: credential {CREDENTIAL} of systemd, else {SYSTEM_KEY},"
        " ~/.config/gprov/server.key for users other than root)",
    ),
]
PassphraseOption = Annotated[
    bool, typer.Option("--passphrase", help="the key of the store is a passphrase, asked for on the terminal")
]
PassphraseFdOption = Annotated[
    int | None,
    typer.Option("--passphrase-fd", metavar="N", min=0, help="the same, read from this file descriptor (first line)"),
]


@dataclass(frozen=True, slots=True)
class KeySource:
    """Options; at most one of them."""

    key_file: str | None = None
    passphrase: bool = False
    passphrase_fd: int | None = None

    def given(self) -> tuple[str, ...]:
        chosen = {
            "--key-file": self.key_file is not None,
            "--passphrase": self.passphrase,
            "--passphrase-fd": self.passphrase_fd is not None,
        }
        return tuple(name for name, is_given in chosen.items() if is_given)


def provider(source: KeySource, data: str) -> KeyProvider:
    """``data``: the data folder, which must not contain the key file. Raises BadParameter."""
    from gprov.adapters.linux.keys.key_file import KeyFile, SystemdCredential
    from gprov.adapters.linux.keys.passphrase import Passphrase

    given = source.given()
    if len(given) > 1:
        raise typer.BadParameter("give one of them", param_hint=" / ".join(map(repr, given)))
    descriptor = source.passphrase_fd
    if descriptor is not None:
        return Passphrase(lambda _: read_secret(descriptor, "passphrase"))
    if source.passphrase:
        return Passphrase(_asked)
    if source.key_file is not None:
        return KeyFile(source.key_file, data, _announce)
    credential = systemd_credential(os.environ)
    if credential is not None:
        return SystemdCredential(credential, data)
    return KeyFile(default_key_file(os.geteuid(), os.environ), data, _announce)


def systemd_credential(environment: Mapping[str, str]) -> str | None:
    """Path of the key among the credentials of this service (systemd.exec(5), LoadCredential=); None without one."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    path = os.path.join(folder, CREDENTIAL) if folder else ""
    return path if os.path.exists(path) else None


def default_key_file(uid: int, environment: Mapping[str, str]) -> str:
    """Raises BadParameter if this user has no folder for it."""
    if uid == 0:
        return SYSTEM_KEY
    home = environment.get("HOME", "")
    settings = environment.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    if not os.path.isabs(settings):
        raise typer.BadParameter(
            "has no default for a user without HOME: say where the key of the store is", param_hint="'--key-file'"
        )
    return os.path.join(settings, "gprov", "server.key")


def _announce(sentence: str) -> None:
    say(f"gprov server: {sentence}", err=True)


def _asked(new: bool) -> Secret:
    """Raises BadInput if standard input is no terminal."""
    from getpass import getpass

    if not os.isatty(0):
        raise BadInput("passphrase", [Problem("", "standard input is no terminal to ask on: give --passphrase-fd")])
    typed = getpass("Passphrase of the store: ")
    if new and getpass("Once more: ") != typed:
        raise BadInput("passphrase", [Problem("", "the two are not the same")])
    return Secret(typed)


def read_secret(descriptor: int, what: str) -> Secret:
    """The first line. Raises BadInput, DeviceFault."""
    content = b""
    try:
        while b"\n" not in content and len(content) <= _MOST and (part := os.read(descriptor, _MOST)):
            content += part
    except OSError as exc:
        raise DeviceFault(f"file descriptor {descriptor}", f"cannot be read: {exc.strerror}") from exc
    line = content.partition(b"\n")[0]
    if not line or len(line) > _MOST:
        where = f"file descriptor {descriptor}"
        raise BadInput(where, [Problem("", f"must have a {what} of at most {_MOST} bytes in its first line")])
    return Secret(line.decode("utf-8", "surrogateescape"))
