"""``gprov lab``: units in virtual machines."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dependency_injector import providers

from gprov.apps.host.initramfs.hostfiles import write_file
from gprov.apps.host.lab.accel import named_accelerator
from gprov.apps.host.lab.campaign import Campaign, campaign_report, run_campaign
from gprov.apps.host.lab.console import interact
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.report import RunFacts, lab_report
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.shapes import SHAPES, unit_spec
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.subject import CutStage
from gprov.apps.host.lab.unit import Unit
from gprov.apps.host.lab.unitspec import UnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceMissing, ExitCode

SUMMARY = "Provision, restore and start units in virtual machines with real firmware and a real Debian."
_ACTIONS = {
    "lifecycle": "a new unit through provisioning, first restore and normal boot",
    "provision": "a new unit up to its first restore",
    "restore": "restore the unit in the work folder, for the first time or again",
    "boot": "start the unit in the work folder until its system is up, and switch it off",
    "shell": "start the unit in the work folder with its console on this terminal",
    "cuts": "cut the power of small units again and again, and have their disks judged",
}
_POWER_DOWN_SECONDS = 90.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        [
            *(f"  {name:<10} {line}" for name, line in _ACTIONS.items()),
            "",
            "Disks:",
            *(f"  {name:<10} {shape.description}" for name, shape in SHAPES.items()),
            "",
            "Environment: GPROV_ACCEL (tcg or kvm; default: kvm if a probe succeeds), BUILD_NUMBER, GPROV_CACHE.",
        ]
    )
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help=", ".join(_ACTIONS))
    parser.add_argument("--firmware", choices=[kind.value for kind in FirmwareKind], default=FirmwareKind.UEFI.value)
    parser.add_argument("--disks", choices=SHAPES, default="sata", help="disks of a new unit (default %(default)s)")
    parser.add_argument(
        "--netboot",
        action="store_true",
        help="a new unit is provisioned by its firmware, over the network: dnsmasq, iPXE (needs root)",
    )
    parser.add_argument("--workdir", metavar="DIR", required=True, help="where the unit's disks and logs are")
    parser.add_argument("--report", metavar="FILE", help="where the JSON report goes (default DIR/report.json)")
    parser.add_argument(
        "--serial", type=_serial, default=UnitSpec().serial, help="serial number of a new unit (default %(default)s)"
    )
    cuts = parser.add_argument_group("cuts")
    cuts.add_argument("--stage", choices=[stage.value for stage in CutStage], default=CutStage.RESTORE.value)
    cuts.add_argument("--count", type=_positive, default=10, metavar="N", help="how many (default %(default)s)")
    cuts.add_argument("--seed", default="1", help="decides which, together with their numbers (default %(default)s)")
    cuts.add_argument(
        "--look", action="store_true", help="only judge what a cut restore leaves of RECOVERY; seconds each"
    )
    cuts.add_argument("--first", type=_number, default=0, metavar="N", help="number of the first (default %(default)s)")
    cuts.add_argument("--jobs", type=_positive, default=2, metavar="N", help="how many at once (default %(default)s)")
    built = parser.add_argument_group("use what is built already (all three)")
    built.add_argument("--kernel", metavar="FILE", help=Branding().boot_kernel)
    built.add_argument("--provision-kernel", metavar="FILE", help=Branding().provision_kernel)
    built.add_argument("--image", metavar="FILE", help=f"{Branding().image_prefix}….upd")


def run(args: argparse.Namespace) -> int:
    given = [args.kernel, args.provision_kernel, args.image]
    wrong = _wrong_with_cuts(args, any(given)) if args.action == "cuts" else ""
    if wrong:
        print(f"gprov lab: {wrong}", file=sys.stderr)
        return ExitCode.USAGE
    if any(given) and not all(given):
        print("gprov lab: --kernel, --provision-kernel and --image belong together", file=sys.stderr)
        return ExitCode.USAGE
    container = LabContainer()
    try:
        named_accelerator(container.environment())
    except BadInput as error:
        print(f"gprov lab: {error}", file=sys.stderr)
        return ExitCode.USAGE
    if all(given):
        # Before a unit that is there gives way to a new one.
        for path in given:
            if not os.path.isfile(path):
                raise DeviceMissing(path, "no such file")
        products = Products(args.kernel, args.provision_kernel, args.image)
        container.products.override(providers.Object(products))
    with _orderly_end():
        if args.action == "shell":
            return _shell(container, Unit.open(args.workdir))
        if args.action == "cuts":
            return _cuts(container, args)
        return _run(container, args)


def _wrong_with_cuts(args: argparse.Namespace, given: bool) -> str:
    if given or args.netboot:
        return "cuts are made of small images of their own, provisioned without --netboot"
    if args.look and args.stage != CutStage.RESTORE.value:
        return "--look is for cuts of a restore: before the first one, RECOVERY need not be whole"
    return ""


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Ended by SIGTERM, we still end the machine and the server that we started."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(container: LabContainer, args: argparse.Namespace) -> int:
    unit, results = _stages(container, args)
    facts = RunFacts(
        unit.spec.firmware.value,
        unit.spec.serial,
        container.accelerator().choose().name.lower(),
        container.products().digests() if args.action in ("lifecycle", "provision") else {},
    )
    report = lab_report(facts, results)
    write_file(args.report or unit.path("report.json"), json.dumps(report, indent=2).encode() + b"\n")
    return _conclude(results)


def _cuts(container: LabContainer, args: argparse.Namespace) -> int:
    campaign = Campaign(seed=args.seed, first=args.first, count=args.count, jobs=args.jobs, started=not args.look)
    subject = container.subjects().subject(CutStage(args.stage), _spec(args))
    began = time.monotonic()
    results = run_campaign(container.cuts(), subject, campaign, args.workdir)
    facts = {"stage": args.stage, "firmware": args.firmware, "disks": args.disks}
    report = campaign_report(facts, campaign, results, time.monotonic() - began)
    path = args.report or os.path.join(args.workdir, "report.json")
    write_file(path, json.dumps(report, indent=2).encode() + b"\n")
    missed = f" ({report['missed']} ended before they were cut)" if report["missed"] else ""
    print(f"{report['cuts']} cuts{missed}, {report['states']} states, at most {report['most_starts']} starts after one")
    failed = [result for result in results if result.problems]
    for result in failed:
        again = f"--stage {args.stage} --seed {args.seed} --first {result.number} --count 1"
        print(f"gprov lab: cut {result.number}: {'; '.join(result.problems)}", file=sys.stderr)
        print(f"  kept in {result.folder}; again: gprov lab cuts {again} …", file=sys.stderr)
    return ExitCode.NEGATIVE if failed else ExitCode.DONE


def _stages(container: LabContainer, args: argparse.Namespace) -> tuple[Unit, Sequence[StageResult]]:
    lab = container.lab()
    match args.action:
        case "lifecycle":
            return lab.lifecycle(args.workdir, _spec(args))
        case "provision":
            unit, result = lab.provision(args.workdir, _spec(args))
            return unit, [result]
        case "restore":
            unit = Unit.open(args.workdir)
            return unit, [lab.restore(unit)]
        case _:
            unit = Unit.open(args.workdir)
            return unit, [lab.boot(unit)]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be a number, is {text!r}")
    return int(text)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a number from 1, is {text!r}")
    return int(text)


def _serial(text: str) -> str:
    if not text.strip() or not (text.isascii() and text.isprintable()):
        raise argparse.ArgumentTypeError(f"must be printable ASCII, is {text!r}")
    return text


def _spec(args: argparse.Namespace) -> UnitSpec:
    return replace(unit_spec(args.disks, FirmwareKind(args.firmware), args.serial), netboot=args.netboot)


def _conclude(results: Sequence[StageResult]) -> int:
    for result in results:
        init, system = result.uptime_at("init-started"), result.system.uptime if result.system else None
        times = [f"/init at {init:.1f} s" if init is not None else "", f"system up at {system:.1f} s" if system else ""]
        print(f"{result.name:<10} {result.verdict.value:<7} {result.seconds:6.1f} s  {', '.join(filter(None, times))}")
    failed = next((result for result in results if not result.passed), None)
    if failed is None:
        return ExitCode.DONE
    print(f"gprov lab: {failed.name}: {failed.reason}; end of {failed.serial_log}:", file=sys.stderr)
    for line in failed.tail:
        print(f"  {line}", file=sys.stderr)
    return ExitCode.NEGATIVE


def _shell(container: LabContainer, unit: Unit) -> int:
    """Without the port on which the system would report and power off."""
    machine = replace(unit.machine(), reports=False)
    print("Ctrl-] switches the unit off.", file=sys.stderr)
    with container.runner().start(machine, unit.serial_log("shell")) as live:
        ending = interact(live, sys.stdin.fileno(), sys.stdout.fileno())
        if ending is None:
            live.qmp.execute("system_powerdown")
            ending = live.wait_end(_POWER_DOWN_SECONDS)
    print(f"\ngprov lab: ended by {ending.value}", file=sys.stderr)
    return ExitCode.DONE if ending in (Ending.POWER_OFF, Ending.RESET) else ExitCode.NEGATIVE
