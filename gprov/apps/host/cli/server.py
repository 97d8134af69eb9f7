"""``gprov server``: the factory server."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.factory.dnsmasq import TFTP_ROOT, AddressRange, NetbootService, dnsmasq_configuration
from gprov.domain.factory.netboot import SCRIPT, base_problem, check_arguments

SUMMARY = "Serve files to units and record what they report, below one data folder."

_MINUTE_NS = 60 * 10**9
_LONGEST_MINUTES = 7 * 24 * 60


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="files/, documents/ and the store; made if missing (required)")
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
        "--boot-arguments",
        type=_kernel_arguments,
        default="",
        metavar="TEXT",
        help=f"further kernel arguments of provisioning, for machines that start over the network (/{SCRIPT})",
    )
    parser.add_argument(
        "--public-url",
        type=_base_url,
        metavar="URL",
        help=f"how such machines reach this server (default: the address that they asked for /{SCRIPT})",
    )
    parser.add_argument(
        "--reopen",
        metavar="SERIAL",
        help="let a unit that was provisioned before have its passwords once more, and exit; a server may be running",
    )
    actions = parser.add_subparsers(dest="action", metavar="dnsmasq")
    _configure_dnsmasq(
        actions.add_parser("dnsmasq", help="print a dnsmasq configuration for network boot, and exit (see its --help)")
    )


def _configure_dnsmasq(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print a configuration of dnsmasq (DHCP and TFTP) with which machines start provisioning."
    parser.add_argument("--interface", required=True, help="where the machines are")
    parser.add_argument(
        "--server", required=True, metavar="URL", help="this factory server as they see it: http://ADDRESS:PORT"
    )
    addresses = parser.add_mutually_exclusive_group(required=True)
    addresses.add_argument(
        "--range", type=_range, metavar="FIRST,LAST[,MASK]", help="addresses to give away, by the only DHCP server"
    )
    addresses.add_argument(
        "--proxy", type=_network, metavar="NETWORK", help="network in which another DHCP server gives the addresses"
    )
    parser.add_argument("--router", type=_address, metavar="ADDRESS", help="with --range: the way out (default: none)")
    parser.add_argument(
        "--tftp", default=TFTP_ROOT, metavar="DIR", help="folder with iPXE's programs (default %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    if args.action == "dnsmasq":
        return _dnsmasq(args)
    if args.data is None:
        print("gprov server: --data DIR is required", file=sys.stderr)
        return ExitCode.USAGE
    if args.reopen is not None:
        return _reopen(args.data, args.reopen)
    from gprov.apps.server.app import Policy
    from gprov.apps.server.netboot import Netboot
    from gprov.apps.server.service import serve

    policy = Policy(
        hold_ns=round(args.qa_hold_minutes * _MINUTE_NS), window_ns=round(args.credentials_minutes * _MINUTE_NS)
    )
    serve(args.data, args.host, args.port, policy, Netboot(args.boot_arguments, args.public_url or ""))
    return ExitCode.DONE


def _dnsmasq(args: argparse.Namespace) -> int:
    if args.proxy is not None and args.router is not None:
        print("gprov server dnsmasq: --router belongs to --range", file=sys.stderr)
        return ExitCode.USAGE
    addresses = args.proxy
    if addresses is None:
        first, last, mask = args.range
        addresses = AddressRange(first, last, mask, args.router)
    try:
        text = dnsmasq_configuration(NetbootService(args.interface, args.server, addresses, args.tftp))
    except BadInput as error:  # all of it was on the command line
        print(f"gprov server dnsmasq: {error}", file=sys.stderr)
        return ExitCode.USAGE
    print(text, end="")
    return ExitCode.DONE


def _reopen(folder: str, serial: str) -> int:
    from gprov.apps.server.credentials import reopen
    from gprov.apps.server.database import Database, open_existing

    with open_existing(folder):  # a folder that was misspelt is not made
        pass
    with closing(Database(folder)) as database:
        try:
            reopen(database, serial, time.time_ns())
        except BadInput as error:
            raise BadInput(folder, error.problems) from error
    print(f"{serial}: passwords can be fetched by its next provisioning, within 24 hours")
    return ExitCode.DONE


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be a number 0..65535, is {text!r}")
    return int(text)


def _minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _LONGEST_MINUTES:
        raise argparse.ArgumentTypeError(f"must be more than 0, at most {_LONGEST_MINUTES}, is {text!r}")
    return number


def _base_url(text: str) -> str:
    problem = base_problem(text)
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return text.rstrip("/")


def _kernel_arguments(text: str) -> str:
    try:
        return check_arguments("--boot-arguments", text)
    except BadInput as exc:
        raise argparse.ArgumentTypeError("; ".join(str(problem) for problem in exc.problems)) from exc


def _address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError as exc:
        raise argparse.ArgumentTypeError(f"no IPv4 address: {exc}") from exc


def _range(text: str) -> tuple[IPv4Address, IPv4Address, IPv4Address | None]:
    words = text.split(",")
    if len(words) not in (2, 3):
        raise argparse.ArgumentTypeError("must be FIRST,LAST or FIRST,LAST,MASK")
    first, last, *mask = map(_address, words)
    if mask:
        _network(f"{first}/{mask[0]}")
    return first, last, mask[0] if mask else None


def _network(text: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError) as exc:
        raise argparse.ArgumentTypeError(f"no IPv4 network: {exc}") from exc
