"""``gprov server credentials``, ``gprov server reopen``: passwords of units, and the key that encrypts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.server_store import database_url, existing, opened, operator, utc
from gprov.domain.errors import BadInput, ExitCode, Problem
from gprov.domain.factory.password_rule import PasswordKind

if TYPE_CHECKING:
    from gprov.adapters.linux.keys.key_file import KeyFile
    from gprov.apps.server.secrets.password_store import KnownPassword
    from gprov.ports.secretbox import KeyProvider

credentials = new_app("Passwords of units, and the key that encrypts them in the store.")

_REOPENED_HOURS = 24
_BIOS_NOTE = (
    "the BIOS setup keeps its password until the unit's configuration tool or a person sets the new one; `gprov server"
    " credentials show`, with the option --previous, has the old one"
)


def reopen(
    serial: values.Serial,
    data: values.Data,
    reason: values.Reason,
    replace_passwords: Annotated[
        bool, typer.Option("--replace-passwords", help="it gets other passwords than those that were handed out")
    ] = False,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Let a unit be provisioned once more that was provisioned before, or whose passwords another session got. A server
    may be running meanwhile."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        server.admin().reopen(serial, operator(reason), replace_passwords=replace_passwords)
    if as_json:
        document({"serial": serial, "hours": _REOPENED_HOURS})
    else:
        say(f"{serial}: passwords can be fetched by its next provisioning, within {_REOPENED_HOURS} hours")
    return ExitCode.DONE


@credentials.command("show")
def show(
    serial: values.Serial,
    data: values.Data,
    reason: values.Reason,
    previous: Annotated[bool, typer.Option("--previous", help="also those that were replaced since")] = False,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Print the passwords of one unit. This is recorded in the audit trail. A server may be running meanwhile."""
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        known = server.admin().reveal(serial, operator(reason))
    newest = {password.place.kind: password for password in known}
    shown = [password for password in known if previous or newest[password.place.kind] is password]
    if as_json:
        document({"serial": serial, "passwords": [_as_json(password) for password in shown]})
    elif shown:
        for password in shown:
            place = password.place
            made = utc(password.made_ns)
            say(f"{place.kind.value}\t{password.secret.reveal()}\tversion {place.version}, made {made}")
    else:
        say(f"{serial}: no passwords were made yet", err=True)
    return ExitCode.DONE if shown else ExitCode.NEGATIVE


@credentials.command("rotate")
def rotate(
    serial: values.Serial,
    data: values.Data,
    reason: values.Reason,
    kind: Annotated[
        list[PasswordKind] | None, typer.Option("--kind", help="only this one; may be repeated (default: all)")
    ] = None,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Have the next provisioning of a unit get fresh passwords; the present ones are kept in the store. A server may be
    running meanwhile."""
    kinds = tuple(kind or PasswordKind)
    with opened(data, keys.KeySource(key_file, passphrase, passphrase_fd)) as server:
        server.admin().rotate(serial, kinds, operator(reason))
        found = server.queries().unit(serial)
    sealed = found is not None and found.credentials.sealed
    names = [each.value for each in PasswordKind if each in kinds]
    if as_json:
        document({"serial": serial, "kinds": names, "sealed": sealed})
        return ExitCode.DONE
    say(f"{serial}: {', '.join(names)}: its next provisioning gets fresh passwords")
    if PasswordKind.BIOS in kinds:
        say(f"{serial}: {_BIOS_NOTE}")
    if sealed:
        say(f"{serial}: was provisioned before: `gprov server reopen` lets the next provisioning have them")
    return ExitCode.DONE


@credentials.command("policy")
def policy(
    data: values.Data,
    code_name: Annotated[str, typer.Option(metavar="NAME", help="of a platform (default: rules of all others)")] = "",
    as_json: Json = False,
) -> int:
    """Check credentials.toml in the data folder, and print the rules by which passwords are made."""
    from gprov.adapters.fake.system.secretbox import FakeKeys
    from gprov.apps.server.container import server_container

    rules = server_container(data, FakeKeys()).password_policy().rules_for(code_name)
    if as_json:
        document(
            {
                kind.value: {
                    "length": rule.length,
                    "alphabet": rule.alphabet,
                    "require": [each.value for each in rule.required],
                    "bits": round(rule.bits, 1),
                }
                for kind, rule in rules.items()
            }
        )
        return ExitCode.DONE
    for kind, rule in rules.items():
        required = ", ".join(each.value for each in rule.required) or "no class of characters"
        say(f"{kind.value}\t{rule.length} of {rule.alphabet}, with {required}: {rule.bits:.0f} bits")
    return ExitCode.DONE


@credentials.command("rekey")
def rekey(
    data: values.Data,
    reason: values.Reason,
    new_key_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="use the key in this file from now on; made if it is missing")
    ] = None,
    new_passphrase: Annotated[
        bool, typer.Option("--new-passphrase", help="use a passphrase from now on, asked for on the terminal")
    ] = False,
    new_passphrase_fd: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="the same, read from this file descriptor (first line)")
    ] = None,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Encrypt the store with another key: a new one in the present key file, or another source. A server that runs
    meanwhile goes on if it can read the new key where it has the old one."""
    source = keys.KeySource(key_file, passphrase, passphrase_fd)
    wanted = keys.KeySource(new_key_file, new_passphrase, new_passphrase_fd)
    with opened(data, source) as server:
        admin, store_key = server.admin(), server.store_key()
        ring = None if wanted.given() else _key_file(keys.provider(source, data))
        new = ring.add() if ring else keys.provider(wanted, data).fresh()
        if new.key_id == store_key.key_id():
            raise BadInput(data, [Problem("", f"is encrypted with that key already ({new.key_id})")])
        count = admin.replace_key(new, operator(reason))
        scrubbed = store_key.scrub()
    if as_json:
        document({"key_id": new.key_id, "passwords": count, "scrubbed": scrubbed})
        return ExitCode.DONE
    say(f"{data}: {count} passwords are encrypted with {new.key_id} now: keep a copy of the new key")
    if ring:
        say(f"{ring.path}: the old key is still there, for backups and other stores; remove its line if none needs it")
    if not scrubbed:
        say(f"{data}: what the old key encrypted is removed from the file when no other program reads it", err=True)
    return ExitCode.DONE


@credentials.command("give-up-key")
def give_up_key(
    data: values.Data,
    reason: values.Reason,
    confirmed: Annotated[
        bool, typer.Option("--yes-remove-passwords", help="required: confirms that they are lost")
    ] = False,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """The key of the store is lost: remove the passwords that it encrypted, and go on with another key. Each unit gets
    fresh passwords from its next provisioning. No server may be running."""
    if not confirmed:
        raise typer.BadParameter(
            "is required: the passwords that the lost key encrypted are removed for good",
            param_hint="'--yes-remove-passwords'",
        )
    from gprov.apps.server.secrets.giving_up import give_up_key as give_up

    with existing(data):
        pass
    source = keys.KeySource(key_file, passphrase, passphrase_fd)
    given_up = give_up(data, database_url(data), keys.provider(source, data), operator(reason))
    if as_json:
        document({"lost": given_up.lost, "key_id": given_up.new, "passwords": given_up.passwords})
    else:
        removed = f"{given_up.passwords} passwords of the lost key {given_up.lost} were removed"
        say(f"{data}: {removed}; the store has the key {given_up.new} now")
    return ExitCode.DONE


def _key_file(present: KeyProvider) -> KeyFile:
    """Raises BadParameter if the present key is not in a file that can be changed."""
    from gprov.adapters.linux.keys.key_file import KeyFile, SystemdCredential

    if isinstance(present, KeyFile) and not isinstance(present, SystemdCredential):
        return present
    raise typer.BadParameter(
        "one is required, since the present key is not in a key file",
        param_hint="'--new-key-file' / '--new-passphrase'",
    )


def _as_json(password: KnownPassword) -> dict[str, str | int]:
    place = password.place
    return {
        "kind": place.kind.value,
        "version": place.version,
        "made_ns": password.made_ns,
        "password": password.secret.reveal(),
    }
