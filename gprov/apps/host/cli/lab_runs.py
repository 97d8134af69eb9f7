"""Units of the lab taken through stages of their lives, and what is printed about them."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gprov.apps.host.cli.output import document, say
from gprov.apps.host.initramfs.hostfiles import write_file
from gprov.apps.host.lab.accel import named_accelerator
from gprov.apps.host.lab.console import interact
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.report import RunFacts, lab_report
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.errors import BadInput, DeviceMissing, ExitCode

_POWER_DOWN_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRequest:
    """``spec``: of a new unit. ``report``: path of the JSON report, None for the usual one."""

    workdir: str
    spec: VirtualUnitSpec = field(default_factory=VirtualUnitSpec)
    report: str | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Paths of what is built already: all three or none. ``certificate``: with which the kernels are verified.
    ``required``: the lab's own kernels do not know the unit's platform."""

    kernel: str | None = None
    provision_kernel: str | None = None
    image: str | None = None
    certificate: str | None = None
    required: bool = False

    def products(self, spec: VirtualUnitSpec) -> Products | None:
        """None: to be built. Raises ValueError for options that do not fit together, DeviceMissing."""
        paths = (self.kernel, self.provision_kernel, self.image)
        given = tuple(path for path in paths if path is not None)
        if (self.certificate is not None) != (spec.secure_boot and bool(given)):
            raise ValueError("--sign-cert belongs to --secure-boot with --kernel, --provision-kernel and --image")
        if self.required and not given:
            raise ValueError(
                "--platforms needs --kernel, --provision-kernel and --image: gprov build kernel --platforms FILE makes "
                "the kernels"
            )
        if not given:
            return None
        if spec.signed:
            raise ValueError("--signed builds kernels with the lab's keys: it excludes --kernel")
        if len(given) < len(paths):
            raise ValueError("--kernel, --provision-kernel and --image belong together")
        for path in given:
            if not os.path.isfile(path):
                raise DeviceMissing(path, "no such file")
        kernel, provision_kernel, image = given
        return Products(kernel, provision_kernel, image, self.certificate or "")


def new_unit(action: str, request: StageRequest, built: Built) -> int:
    """``action``: lifecycle or provision. The files of ``built`` are checked before an earlier unit is replaced."""
    container = LabContainer()
    try:
        products = built.products(request.spec)
        named_accelerator(container.environment())
    except (BadInput, ValueError) as error:
        return wrong_usage(str(error))
    set_value(container.secure_boot, request.spec.secure_boot)
    set_value(container.signed, request.spec.signed)
    if products is not None:
        set_value(container.products, products)
    with orderly_end():
        lab = container.lab()
        if action == "lifecycle":
            unit, results = lab.lifecycle(request.workdir, request.spec)
        else:
            unit, result = lab.provision(request.workdir, request.spec)
            results = (result,)
        return _conclude(container, request, unit, results, container.products().digests())


def existing_unit(action: str, request: StageRequest) -> int:
    """``action``: restore or boot."""
    container = LabContainer()
    try:
        named_accelerator(container.environment())
    except BadInput as error:
        return wrong_usage(str(error))
    with orderly_end():
        unit = VirtualUnit.open(request.workdir)
        stage: Callable[[VirtualUnit], StageResult] = (
            container.lab().restore if action == "restore" else container.lab().boot
        )
        return _conclude(container, request, unit, [stage(unit)], {})


def shell(workdir: str) -> int:
    """Without the port on which the system would report and power off."""
    container = LabContainer()
    try:
        named_accelerator(container.environment())
    except BadInput as error:
        return wrong_usage(str(error))
    with orderly_end():
        unit = VirtualUnit.open(workdir)
        machine = replace(unit.machine(), reports=False)
        say("Ctrl-] switches the unit off.", err=True)
        with container.runner().start(machine, unit.serial_log("shell"), attach_lcd=False) as live:
            if machine.lcd is not None:
                words = f"--model {machine.lcd.value} --connect {live.lcd_socket}"
                say(f"The display, in another terminal: gprov lcd simulate {words}", err=True)
            ending = interact(live, sys.stdin.fileno(), sys.stdout.fileno())
            if ending is None:
                live.qmp.execute("system_powerdown")
                ending = live.wait_end(_POWER_DOWN_SECONDS)
        say("", err=True)
        say(f"gprov lab: ended by {ending.value}", err=True)
        return ExitCode.DONE if ending in (Ending.POWER_OFF, Ending.RESET) else ExitCode.NEGATIVE


def wrong_usage(message: str) -> int:
    say(f"gprov lab: {message}", err=True, colour="red")
    return ExitCode.USAGE


@contextmanager
def orderly_end() -> Iterator[None]:
    """On SIGTERM the machine and the server that were started are ended, too."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _conclude(
    container: LabContainer,
    request: StageRequest,
    unit: VirtualUnit,
    results: Sequence[StageResult],
    digests: Mapping[str, str],
) -> int:
    accelerator = container.accelerator().choose().name.lower()
    facts = RunFacts(unit.spec.firmware.value, unit.spec.serial, accelerator, digests)
    report = lab_report(facts, results)
    write_file(request.report or unit.path("report.json"), json.dumps(report, indent=2).encode() + b"\n")
    if request.as_json:
        document(report)
    else:
        for result in results:
            say(_line(result))
    return _verdict(results)


def _line(result: StageResult) -> str:
    init, system = result.uptime_at("init-started"), result.system.uptime if result.system else None
    times = [f"/init at {init:.1f} s" if init is not None else "", f"system up at {system:.1f} s" if system else ""]
    return f"{result.name:<10} {result.verdict.value:<7} {result.seconds:6.1f} s  {', '.join(filter(None, times))}"


def _verdict(results: Sequence[StageResult]) -> int:
    failed = next((result for result in results if not result.passed), None)
    if failed is None:
        return ExitCode.DONE
    say(f"gprov lab: {failed.name}: {failed.reason}; end of {failed.serial_log}:", err=True, colour="red")
    for line in failed.tail:
        say(f"  {line}", err=True)
    return ExitCode.NEGATIVE
