"""``gprov server``: the factory server."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from gprov.apps.host.cli import server_keys as keys
from gprov.apps.host.cli import server_values as values
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document
from gprov.apps.host.cli.server_accounts import account
from gprov.apps.host.cli.server_audit import audit
from gprov.apps.host.cli.server_backup import backup, restore
from gprov.apps.host.cli.server_certificate import certificate
from gprov.apps.host.cli.server_check import check
from gprov.apps.host.cli.server_credentials import credentials, reopen
from gprov.apps.host.cli.server_import import import_gprovision
from gprov.apps.host.cli.server_netboot import dnsmasq
from gprov.apps.host.cli.server_overrides import overridden, setting_option
from gprov.apps.host.cli.server_setup import init
from gprov.apps.host.cli.server_store import existing
from gprov.apps.host.cli.server_token import token
from gprov.domain.errors import ExitCode
from gprov.domain.factory.server_settings import checked
from gprov.domain.factory.settings.access import AccessMode

app = new_app("The factory server. Options without an action are those of run.")


app.add_typer(credentials, name="credentials")
app.add_typer(account, name="account")
app.add_typer(certificate, name="certificate")
app.command("reopen")(reopen)
app.command("audit")(audit)
app.command("token")(token)
app.command("init")(init)
app.command("import-gprovision")(import_gprovision)
app.command("check")(check)
app.command("dnsmasq")(dnsmasq)
app.command("backup")(backup)
app.command("restore")(restore)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("run")
def run_server(
    data: values.Data,
    host: Annotated[str | None, setting_option("listen", "host", "ADDRESS")] = None,
    port: Annotated[int | None, setting_option("listen", "port", "N")] = None,
    qa_hold_minutes: Annotated[float | None, setting_option("documents", "hold_minutes", "N")] = None,
    credentials_minutes: Annotated[float | None, setting_option("credentials", "minutes", "N")] = None,
    boot_arguments: Annotated[str | None, setting_option("netboot", "boot_arguments", "TEXT")] = None,
    issuer: Annotated[str | None, setting_option("certificates", "issuer", "NAME")] = None,
    public_url: Annotated[str | None, setting_option("listen", "public_url", "URL")] = None,
    isolated: Annotated[
        bool,
        typer.Option("--isolated", help="no accounts, no tokens: only trusted machines and people reach this network"),
    ] = False,
    key_file: keys.KeyFileOption = None,
    passphrase: keys.PassphraseOption = False,
    passphrase_fd: keys.PassphraseFdOption = None,
) -> int:
    """Serve files to units and record what they report, below one data folder, which is made if it is missing. Its
    server.toml has all settings; options override it."""
    from gprov.apps.server.container import server_container
    from gprov.apps.server.service import serve
    from gprov.apps.unit.composition.wiring import set_value

    source = keys.KeySource(key_file, passphrase, passphrase_fd)
    container = server_container(data, keys.provider(source, data))
    stated = container.settings()
    settings = replace(
        stated,
        listen=overridden(stated.listen, host=host, port=port, public_url=public_url),
        documents=overridden(stated.documents, hold_minutes=qa_hold_minutes),
        credentials=overridden(stated.credentials, minutes=credentials_minutes),
        netboot=overridden(stated.netboot, boot_arguments=boot_arguments),
        certificates=overridden(stated.certificates, issuer=issuer),
        access=replace(stated.access, mode=AccessMode.ISOLATED) if isolated else stated.access,
    )
    set_value(container.settings, checked("settings", settings))
    serve(container)
    return ExitCode.DONE


@app.command("key")
def key(data: values.Data, as_json: Json = False) -> int:
    """Print the public key with which erase certificates of this server are verified. The first call, or the first
    start of the server, makes the key. A server may be running meanwhile."""
    import os

    from gprov.adapters.linux.system.ed25519 import signer_at
    from gprov.apps.server.store.erasures import KEY_FILE

    with existing(data):
        pass
    public = signer_at(os.path.join(data, KEY_FILE)).public
    if as_json:
        document({"key_id": public.key_id, "pem": public.pem})
    else:
        print(public.pem, end="")
    return ExitCode.DONE
