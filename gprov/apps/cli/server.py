"""``gprov server``: the factory server."""

from __future__ import annotations

import argparse
import time
from contextlib import closing

from gprov.domain.errors import ExitCode

SUMMARY = "Serve files to units and record what they report, below one data folder."

_MINUTE_NS = 60 * 10**9
_LONGEST_MINUTES = 7 * 24 * 60


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", metavar="DIR", required=True, help="files/, documents/ and the store; made if missing"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=_port, default=8901, help="0: any free one (default %(default)s)")
    parser.add_argument(
        "--qa-hold-minutes",
        type=_minutes,
        default=20.0,
        metavar="N",
        help="a QA document waits so long for the first restore, then it is discarded (default %(default)g)",
    )
    parser.add_argument(
        "--credentials-minutes",
        type=_minutes,
        default=240.0,
        metavar="N",
        help="passwords are handed out so long after a unit reported MFG_STARTED (default %(default)g)",
    )
    parser.add_argument(
        "--reopen",
        metavar="SERIAL",
        help="let a unit that was provisioned before have its passwords once more, and exit; a server may be running",
    )


def run(args: argparse.Namespace) -> int:
    if args.reopen is not None:
        return _reopen(args.data, args.reopen)
    from gprov.apps.server.app import Policy
    from gprov.apps.server.service import serve

    policy = Policy(
        hold_ns=round(args.qa_hold_minutes * _MINUTE_NS), window_ns=round(args.credentials_minutes * _MINUTE_NS)
    )
    serve(args.data, args.host, args.port, policy)
    return ExitCode.DONE


def _reopen(folder: str, serial: str) -> int:
    from gprov.apps.server.database import Database
    from gprov.apps.server.vault import reopen

    with closing(Database(folder)) as database:
        reopen(database, serial, time.time_ns())
    print(f"{serial}: passwords can be fetched by its next provisioning, within 24 hours")
    return ExitCode.DONE


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be 0..65535")
    return number


def _minutes(text: str) -> float:
    number = float(text)
    if not 0 < number <= _LONGEST_MINUTES:
        raise argparse.ArgumentTypeError(f"must be more than 0, at most {_LONGEST_MINUTES}")
    return number
