"""``gprov-update``: the agent for updates over the air, in the running system of a unit."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from gprov import __version__
from gprov.adapters.linux.update.journal import JournalSink
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.apps.update import composition
from gprov.apps.update.agent import UpdateAgent
from gprov.apps.update.loop import run_forever, run_once
from gprov.apps.update.owner import decide, forget
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.records import require_recovery
from gprov.apps.update.settings import read_config, read_identity
from gprov.apps.update.status import show_status
from gprov.domain.branding import Branding
from gprov.domain.branding_file import parse_branding
from gprov.domain.errors import ExitCode, GprovError
from gprov.domain.update.messages import is_action_id

_LOCK = "/run/gprov-update.lock"
_EPILOG = "Exit status: 0 done, 1 negative verdict, 2 wrong usage, 3 a server, file or device failed."


def main(branding: str = "", arguments: Sequence[str] | None = None) -> int:
    """``branding``: JSON with the names of this product, "" for the default ones. Returns the exit status."""
    given = _parser().parse_args(arguments)
    names = parse_branding("branding of gprov-update", branding.encode()) if branding else Branding()
    paths = UpdatePaths.below(given.root.rstrip("/"), names)
    bus = EventBus(composition.clock())
    bus.attach(_sink())
    try:
        run: Callable[[argparse.Namespace, UpdatePaths, EventBus], int] = given.run
        with unexpected_errors_translated():
            return run(given, paths, bus)
    except GprovError as error:
        bus.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.ENVIRONMENT
    finally:
        bus.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gprov-update", description="Updates over the air, from a server with hawkBit's DDI API.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=f"gprov-update {__version__}")
    parser.add_argument(
        "--root", default="", metavar="DIR", help="take the files of the unit from below DIR (for tests)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="poll the server, and do what it asks for; of the service").set_defaults(run=_run)
    commands.add_parser("once", help="do what there is to do now, then end").set_defaults(run=_once)
    status = commands.add_parser("status", help="print the action that the unit works on, or has ended last")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)
    for word, text in (("confirm", "agree to an action of the server"), ("deny", "refuse an action of the server")):
        command = commands.add_parser(word, help=text)
        command.add_argument(
            "action", metavar="ACTION", type=_action_id, help="its id, as `gprov-update status` prints it"
        )
        command.set_defaults(run=_decide, agreed=word == "confirm")
    commands.add_parser("forget", help="forget the last action, and remove what was downloaded").set_defaults(
        run=_forget
    )
    return parser


def _action_id(text: str) -> str:
    if not is_action_id(text):
        raise argparse.ArgumentTypeError(f"no id of an action: {text!r}")
    return text


def _agent(paths: UpdatePaths, bus: EventBus) -> UpdateAgent:
    ports = composition.linux_ports(paths, bus)
    # It may hold the configuration.
    require_recovery(ports, paths)
    config = read_config(ports.files, paths)
    identity = read_identity(ports.files, paths, config)
    return UpdateAgent(ports, paths, composition.context(paths, bus), config, identity)


def _run(_given: argparse.Namespace, paths: UpdatePaths, bus: EventBus) -> int:
    from gprov.adapters.linux.update.system import only_one

    with only_one(paths.kernel + _LOCK):
        run_forever(_agent(paths, bus), composition.linux_ports(paths, bus), paths, bus)


def _once(_given: argparse.Namespace, paths: UpdatePaths, bus: EventBus) -> int:
    from gprov.adapters.linux.update.system import only_one

    with only_one(paths.kernel + _LOCK):
        return run_once(_agent(paths, bus), composition.linux_ports(paths, bus).files, paths)


def _status(given: argparse.Namespace, paths: UpdatePaths, bus: EventBus) -> int:
    return show_status(composition.linux_ports(paths, bus), paths, bus, as_json=given.json)


def _decide(given: argparse.Namespace, paths: UpdatePaths, bus: EventBus) -> int:
    ports = composition.linux_ports(paths, bus)
    require_recovery(ports, paths)
    return decide(ports.files, paths, bus, given.action, agreed=given.agreed)


def _forget(_given: argparse.Namespace, paths: UpdatePaths, bus: EventBus) -> int:
    from gprov.adapters.linux.update.system import only_one

    with only_one(paths.kernel + _LOCK):
        ports = composition.linux_ports(paths, bus)
        require_recovery(ports, paths)
        return forget(ports, paths, bus)


def _sink() -> JournalSink:
    return JournalSink(journal="JOURNAL_STREAM" in os.environ)


if __name__ == "__main__":
    sys.exit(main())
