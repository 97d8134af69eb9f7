"""Where ``gprov server`` has the key of its store from: options, and what is used without any."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.output import say
from gprov.apps.host.cli.secret_input import asked_secret, read_secret

if TYPE_CHECKING:
    from gprov.ports.secretbox import KeyProvider

CREDENTIAL = "gprov-server-key"
SYSTEM_KEY = "/etc/gprov/server.key"

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
        return Passphrase(lambda _: read_secret("passphrase", descriptor))
    if source.passphrase:
        return Passphrase(lambda new: asked_secret("passphrase", "Passphrase of the store", new=new))
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
