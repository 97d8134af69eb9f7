"""``gprov server backup`` and ``restore``: the store in one file, of either database."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.server_store import database_url
from gprov.domain.errors import ExitCode

File = Annotated[str, typer.Argument(metavar="FILE", help="the backup")]


def backup(file: File, data: values.Data, as_json: Json = False) -> int:
    """Write a backup of the store to a new file: all records, documents, certificates, and the private key of erase
    certificates. A server may be running meanwhile. The key of the store is not in it."""
    from gprov.apps.server.store.backup import back_up

    made = back_up(data, database_url(data), file, time.time_ns())
    if as_json:
        document({"file": file, "bytes": made.size, "sha256": made.sha256, "members": len(made.manifest.members)})
        return ExitCode.DONE
    say(f"{file}: {made.size} bytes, SHA-256 {made.sha256}")
    say("The key of the store, which encrypts the passwords, is not in it: keep a copy of that in another place")
    return ExitCode.DONE


def restore(file: File, data: values.Data, as_json: Json = False) -> int:
    """Restore a backup to a store that is new or empty, after all of it was verified. No server may be running. The
    database is the one of server.toml in the data folder: it may be of another kind than the one of the backup."""
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.apps.server.store.restoring import restore as put_back

    done = put_back(file, data, database_url(data), LinuxFiles())
    if as_json:
        document({"file": file, "rows": done.rows, "files": done.files})
    else:
        say(f"{data}: {done.rows} records and {done.files} files were restored")
    return ExitCode.DONE
