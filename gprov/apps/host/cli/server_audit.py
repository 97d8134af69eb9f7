"""``gprov server audit``: what was done with passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.server_store import existing, opened, utc
from gprov.domain.errors import ExitCode
from gprov.domain.factory.audit import AuditEntry, Mark, mark_text, parse_mark

if TYPE_CHECKING:
    from gprov.domain.errors import Problem


def _mark(text: str) -> Mark:
    found = parse_mark(text)
    if found is None:
        raise typer.BadParameter("must be NUMBER:DIGEST, as --verify prints it")
    return found


def audit(
    data: values.Data,
    serial: Annotated[str, typer.Option(metavar="SERIAL", help="entries of this unit only")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="check that no entry was changed or removed")] = False,
    expect: Annotated[
        Mark | None,
        typer.Option(
            metavar="NUMBER:DIGEST", help="with --verify: an earlier one printed this, and was noted", parser=_mark
        ),
    ] = None,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
    as_json: Json = False,
) -> int:
    """Print the audit trail of passwords, oldest entries first, or verify it. Only --verify needs the key of the store.
    A server may be running meanwhile."""
    source = keys.KeySource(key_file, passphrase, passphrase_fd)
    if verify:
        if serial:
            raise typer.BadParameter("does not go with --verify, which checks all entries", param_hint="'--serial'")
        return _verify(data, source, expect, as_json)
    unused = [*source.given(), *(["--expect"] if expect else [])]
    if unused:
        raise typer.BadParameter("goes with --verify only", param_hint=" / ".join(map(repr, unused)))
    return _list(data, serial, as_json)


def _list(data: str, serial: str, as_json: bool) -> int:
    from gprov.apps.server.secrets.audit_trail import entries

    with existing(data) as db:
        found = list(entries(db, serial))
    if as_json:
        document({"entries": [_as_json(entry) for entry in found]})
    for entry in () if as_json else found:
        unit = f" {entry.serial}:" if entry.serial else ""
        reason = f" ({entry.actor.reason})" if entry.actor.reason else ""
        detail = f": {entry.detail}" if entry.detail else ""
        say(f"{entry.number} {utc(entry.time_ns)}{unit} {entry.action.value} by {entry.actor.who}{reason}{detail}")
    return ExitCode.DONE


def _verify(data: str, source: keys.KeySource, expected: Mark | None, as_json: bool) -> int:
    from gprov.apps.server.secrets.audit_trail import last_mark

    with opened(data, source) as server:
        trail = server.trail()
        with server.database().read() as db:
            problems, last = trail.problems(db, expected), last_mark(db)
    if as_json:
        document({"valid": not problems, "problems": [_problem(each) for each in problems], "last": mark_text(last)})
    else:
        for problem in problems:
            say(f"{data}: {problem}", err=True, colour="red")
        if not problems:
            say(f"{data}: {last.number} entries, none was changed or removed. To be noted elsewhere: {mark_text(last)}")
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


def _problem(problem: Problem) -> dict[str, str]:
    return {"place": problem.place, "message": problem.message}


def _as_json(entry: AuditEntry) -> dict[str, str | int]:
    return {
        "number": entry.number,
        "time_ns": entry.time_ns,
        "action": entry.action.value,
        "serial": entry.serial,
        "who": entry.actor.who,
        "reason": entry.actor.reason,
        "detail": entry.detail,
    }
