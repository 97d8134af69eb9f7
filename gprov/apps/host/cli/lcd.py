"""``gprov lcd``: a simulated display. What runs it is imported only when it is run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.options import new_app, one_of, words_for_completion
from gprov.apps.host.cli.output import say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.errors import ExitCode
from gprov.domain.formats.lcd.models import Model

if TYPE_CHECKING:
    from gprov.apps.host.lcd.wire import Wire

_SUMMARY = "Simulate the displays of units: CFA-631 (2 rows, 4 keys) and CFA-635 (4 rows, 6 keys)."
MODELS = {str(model.value): model for model in Model}
app = new_app(_SUMMARY)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.callback(help=_SUMMARY)
def _group() -> None:
    """With it, a single action keeps its name on the command line."""


def _tcp_address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 0xFFFF:
        raise typer.BadParameter(f"must be HOST:PORT, is {text!r}")
    return text


@app.command("simulate")
def simulate(
    model: Annotated[
        str,
        typer.Option(
            metavar="|".join(MODELS),
            help="number of the model",
            parser=one_of(MODELS),
            autocompletion=words_for_completion(MODELS),
        ),
    ] = "635",
    pty: Annotated[
        str, typer.Option("--pty", metavar="LINK", help="link to the pseudo-terminal, which is the line by default")
    ] = "",
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="instead: a TCP socket to listen on", parser=_tcp_address)
    ] = None,
    unix: Annotated[str, typer.Option(metavar="PATH", help="instead: a Unix socket to listen on")] = "",
    connect: Annotated[
        str, typer.Option(metavar="PATH", help="instead: a Unix socket on which a program listens, such as QEMU")
    ] = "",
    keys: Annotated[
        str | None, typer.Option(metavar="FILE", help="a script of keys (docs/reference/displays.md)")
    ] = None,
    record: Annotated[str, typer.Option(metavar="FILE", help="record the bytes of the line")] = "",
    replay: Annotated[
        str | None, typer.Option(metavar="FILE", help="replay a recording, and compare what the host sends with it")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="print each new screen as text; ends with a script or a replay")
    ] = False,
) -> int:
    """Draw a display in this terminal, for a host on a serial line. Exit status 1 if the host sends other bytes than
    recorded, 3 if the script waits for a text that does not come."""
    if sum(map(bool, (pty, listen, unix, connect))) > 1:
        say("gprov lcd: --pty, --listen, --unix and --connect exclude each other", err=True, colour="red")
        return ExitCode.USAGE
    if not plain and not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("gprov lcd: needs a terminal to draw the display; --plain prints text instead", err=True, colour="red")
        return ExitCode.USAGE
    from gprov.adapters.linux.system.clock import SystemClock
    from gprov.apps.host.lcd.keyscript import parse_script
    from gprov.apps.host.lcd.recording import read_recording
    from gprov.apps.host.lcd.session import SessionSpec, run_app, run_plain, session

    spec = SessionSpec(
        model=MODELS[model],
        script=None if keys is None else parse_script(keys, _text(keys), MODELS[model]),
        replay=None if replay is None else read_recording(replay, _text(replay)),
        record=record,
    )
    clock = SystemClock()
    with session(spec, lambda: _wire(pty, listen or "", unix, connect), clock) as running:
        say(f"display CFA-{model} on {running.lcd.name}", err=True)
        if plain:
            run_plain(running, clock, say)
        else:
            run_app(running)
    return ExitCode.DONE


def _wire(pty: str, listen: str, unix: str, connect: str) -> Wire:
    from gprov.apps.host.lcd.wire import ConnectedWire, ListeningWire, PtyWire

    if listen:
        host, _, port = listen.rpartition(":")
        return ListeningWire.on_tcp(host.strip("[]"), int(port))
    if unix:
        return ListeningWire.on_unix(unix)
    return ConnectedWire.to_unix(connect) if connect else PtyWire(pty)


def _text(path: str) -> str:
    return read_user_file(path).decode("utf-8", "replace")
