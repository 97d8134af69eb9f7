"""``gprov server account``: accounts of people on the factory server."""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.secret_input import asked_secret, read_secret
from gprov.apps.host.cli.server_store import opened, operator, utc
from gprov.domain.errors import ExitCode
from gprov.domain.factory.accounts import ROLE_WORDS, ProgramRole, Role
from gprov.domain.unit.credentials import Secret

account = new_app("Accounts of people. A server may be running meanwhile.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="of the account")]
_ROLES = "; ".join(f"{role.value}: {words}" for role, words in ROLE_WORDS.items())
RoleOption = Annotated[Role, typer.Option("--role", help=_ROLES)]
_PROGRAM_ROLES = "; ".join(f"{each.value}: {ROLE_WORDS[each.role]}" for each in ProgramRole)
PasswordFd = Annotated[
    int | None,
    typer.Option("--password-fd", metavar="N", min=0, help="read the password from this file descriptor (first line)"),
]


@account.command("add")
def add(
    name: Name,
    data: values.Data,
    role: RoleOption = Role.VIEW,
    password_fd: PasswordFd = None,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
) -> int:
    """Add an account. The first one must have the role manage. The password is asked for."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        server.accounts().add(name, role, _password(password_fd), operator(""))
    say(f"{name}: added with role {role.value}")
    return ExitCode.DONE


@account.command("list")
def list_accounts(
    data: values.Data,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Print names, roles and when each person last signed in."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        found = server.accounts().all()
    if as_json:
        rows = [{"name": each.name, "role": each.role.value, "seen_ns": each.seen_ns} for each in found]
        document({"accounts": rows})
        return ExitCode.DONE
    for each in found:
        seen = f"signed in {utc(each.seen_ns)}" if each.seen_ns else "never signed in"
        say(f"{each.name}: {each.role.value}, {seen}")
    return ExitCode.DONE


@account.command("remove")
def remove(
    name: Name,
    data: values.Data,
    reason: values.Reason,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
) -> int:
    """Remove an account; the person is signed out everywhere."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        server.accounts().remove(name, operator(reason))
    say(f"{name}: removed")
    return ExitCode.DONE


@account.command("password")
def password(
    name: Name,
    data: values.Data,
    password_fd: PasswordFd = None,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
) -> int:
    """Set the password of an account, which is asked for; the person is signed out everywhere."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        server.accounts().set_password(name, _password(password_fd), operator(""))
    say(f"{name}: has another password")
    return ExitCode.DONE


@account.command("role")
def set_role(
    name: Name,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help=_ROLES)],
    data: values.Data,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
) -> int:
    """Change the role of an account."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        server.accounts().set_role(name, role, operator(""))
    say(f"{name}: has role {role.value}")
    return ExitCode.DONE


@account.command("token")
def token(
    name: Name,
    data: values.Data,
    role: Annotated[ProgramRole, typer.Option("--role", help=_PROGRAM_ROLES)] = ProgramRole.VIEW,
    days: Annotated[int, typer.Option(metavar="N", min=0, max=3660, help="how long it can be used; 0: no end")] = 365,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Print a token with which the program NAME reads the API: `Authorization: Bearer TOKEN`. It is shown once."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        made = server.accounts().add_token(name, role.role, days * 86400 * 10**9, operator(""))
    if as_json:
        document({"token": made.reveal()})
    else:
        print(made.reveal())
    return ExitCode.DONE


def _password(descriptor: int | None) -> Secret:
    """Raises BadInput, DeviceFault."""
    if descriptor is not None:
        return read_secret("password", descriptor)
    return asked_secret("password", "Password of the account", new=True)
