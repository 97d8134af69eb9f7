"""A factory server with a clock that tests set, and units that report to it over HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import uvicorn

from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.adapters.linux.net.factory import HttpFactory
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.server.container import server_container
from gprov.apps.server.store.presence import serving
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    OperationPhase,
    OperationReport,
    ProcessState,
    Progress,
    Severity,
    StateChange,
)
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.access import Access, AccessMode
from gprov.domain.factory.settings.limits import Limits
from gprov.domain.mfg.difference import Difference, differences_json

S = ProcessState
OPEN = Access(mode=AccessMode.ISOLATED)
# All units report from one address, a day of theirs within seconds.
_MANY = 1_000_000.0
GENEROUS = Limits(
    new_units_per_minute=_MANY,
    all_new_units_per_minute=_MANY,
    new_sessions_per_minute=_MANY,
    all_new_sessions_per_minute=_MANY,
    documents_per_minute=_MANY,
    all_documents_per_minute=_MANY,
    credentials_per_minute=_MANY,
    all_credentials_per_minute=_MANY,
)
SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# 2026-11-30 14:05:00 UTC.
NOW = 1_796_047_500 * SECOND
SECONDS = 30.0


class PageServer:
    """In this process, on a port of its own. ``now_ns``: its clock."""

    def __init__(self, folder: Path, settings: ServerSettings) -> None:
        self.folder = folder
        self.now_ns = NOW
        self._settings = settings
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._held = ExitStack()

    def start(self) -> None:
        container = server_container(str(self.folder), FakeKeys(), self._settings)
        set_value(container.now, lambda: self.now_ns)
        self._held.enter_context(serving(str(self.folder), self._settings.store.database))
        self._feed, self.accounts = container.feed(), container.accounts()
        self._held.enter_context(closing(container.database()))
        app = container.app()
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning", timeout_graceful_shutdown=3)
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
        self._thread.start()
        thread = self._thread
        self.until(lambda: server.started or not thread.is_alive())
        assert server.started, "the server has ended"
        self.port = server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._feed.close()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the server does not end"
        self._held.close()
        self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def live_pages(self) -> int:
        return self._feed.count

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the server does by itself."""
        deadline = monotonic() + SECONDS
        while not condition():
            assert monotonic() < deadline, "it does not happen"

    def later(self, duration_ns: int) -> None:
        self.now_ns += duration_ns


@contextmanager
def running(folder: Path, settings: ServerSettings | None = None) -> Iterator[PageServer]:
    folder.mkdir(exist_ok=True)
    server = PageServer(folder, settings or ServerSettings(access=OPEN, limits=GENEROUS))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class UnitOnLine:
    """A unit, as the programs of a unit report."""

    server: PageServer
    serial: str
    code_name: str = "GP-200"
    nics: Sequence[str] = ()
    bmc: Sequence[str] = ()
    _number: int = 0
    client: HttpFactory = field(init=False)

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """From now on, it reports in another session."""
        clock = SystemClock()
        self.client = HttpFactory(RequestsHttp(clock), clock, f"{self.server.url}/", pause=0.01)

    def report(self, *bodies: Body) -> None:
        events = []
        for body in bodies:
            self._number += 1
            events.append(Event(self._number, self.server.now_ns, body))
        self.client.events(self.serial, events)

    def identify(self) -> None:
        self.client.code_name(self.serial, self.code_name)
        if self.nics or self.bmc:
            nics = {f"eth{index}": mac for index, mac in enumerate(self.nics)}
            self.client.macs(self.serial, nics, list(self.bmc))

    def begin(self) -> None:
        self.report(
            LogLine("Provisioning", Severity.MSG),
            LogLine("eth0 has the address 10.1.0.117/24"),
            StateChange(S.MFG_STARTED),
            LogLine(f"{self.serial} is a {self.code_name}"),
            OperationReport("Create RECOVERY on sda", OperationPhase.STARTED),
            OperationReport("Create RECOVERY on sda", OperationPhase.DONE, 4.2),
        )
        self.identify()

    def fail(self, error: str, *details: str) -> None:
        self.report(
            LogLine(error, Severity.ERROR), *(LogLine(f"  {line}") for line in details), StateChange(S.MFG_FAILED)
        )

    def passwords(self) -> None:
        self.client.credentials(self.serial)

    def document(self, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        self.client.document(self.serial, name, content, kind)

    def provisioned(self) -> None:
        self.report(LogLine("Provisioned", Severity.MSG), StateChange(S.MFG_SUCCEEDED))

    def restore_begins(self) -> None:
        self.boot()
        self.report(
            LogLine("Factory restore", Severity.MSG),
            StateChange(S.FR_STARTED),
            LogLine("image WIDGET.LNX.SHINY.2026-10-01.1042.upd: good"),
        )

    def restored(self) -> None:
        self.report(LogLine("Restored", Severity.MSG), StateChange(S.FR_SUCCEEDED))

    def register(self, report: bytes) -> None:
        self.client.register(report)

    def whole_way(self, provisioning_ns: int = 11 * MINUTE, restore_ns: int = 6 * MINUTE) -> None:
        """Provisioned and restored; the clock goes on meanwhile."""
        self.begin()
        self.passwords()
        self.document(f"{self.serial}_qav.htm", qa_page(self.serial))
        self.server.later(provisioning_ns)
        self.provisioned()
        self.server.later(MINUTE)
        self.restore_begins()
        self.server.later(restore_ns)
        self.restored()


def qa_page(serial: str) -> str:
    return f"<!DOCTYPE html><title>QA</title><script>alert('QA')</script><h1>Unit {len(serial)}</h1>\n"


def downloads(done: int) -> Progress:
    return Progress("WIDGET.LNX.SHINY.2026-10-01.1042.upd", done, 1_240_000_000)


def mismatch() -> str:
    differences = [
        Difference("$.RamMegs", "16384 (±1 %)", "8192"),
        Difference("$.MainDiskConfigs[0][0]", "2 of 480 GB, INTEL SSDSC2KB480G8", "1 of 480 GB, INTEL SSDSC2KB480G8"),
        Difference("$.FirmwareVer", "1.14", "1.09"),
    ]
    return differences_json("GP-200", differences)


def a_day_on_the_line(server: PageServer, done: int = 14, days: int = 12) -> None:
    """Units in every situation, ``done`` of them restored; others were made in the ``days`` before. The clock ends at
    ``NOW``."""
    _days_before(server, days)
    server.now_ns = NOW - 5 * HOUR
    for index in range(done):
        at = server.now_ns
        name = "GP-200" if index % 3 else "GP-80"
        UnitOnLine(server, f"GP2611-{4180 + index:05}", name).whole_way((9 + index % 4) * MINUTE, 5 * MINUTE)
        server.now_ns = at + 18 * MINUTE
    _in_every_situation(server)
    server.now_ns = NOW


def _days_before(server: PageServer, days: int) -> None:
    for day in range(days, 0, -1):
        for index in range((3, 7, 5, 8, 6, 0, 4)[day % 7]):
            server.now_ns = NOW - day * DAY + index * HOUR
            unit = UnitOnLine(
                server, f"GP2611-{3000 + 20 * day + index:05}", ("GP-200", "GP-80", "GP-1000R")[index % 3]
            )
            if index % 4 == 3:
                unit.begin()
                server.later(2 * MINUTE)
                unit.fail(*_FAILURES[day % len(_FAILURES)])
            else:
                unit.whole_way((10 + index) * MINUTE, (4 + index) * MINUTE)


_FAILURES = (
    ("GP2611 is not as specified for GP-200 (3 difference(s))",),
    ("burn-in failed: memory errors: measured 2, limit 0",),
    ("http://10.1.0.1:8901/files/x.upd: status 404",),
    ("setup.sh: exit status 3, but it MustSucceed",),
)


def _in_every_situation(server: PageServer) -> None:
    server.now_ns = NOW - 3 * HOUR
    overdue = UnitOnLine(server, "GP2611-04203")
    overdue.begin()
    overdue.document("GP2611-04203_qav.htm", qa_page("x"))
    server.later(10 * MINUTE)
    overdue.provisioned()

    server.now_ns = NOW - 95 * MINUTE
    unknown = UnitOnLine(server, "UNKNOWN_SN_5678900A0B0C", "")
    unknown.report(LogLine("Provisioning", Severity.MSG))
    unknown.document(
        "identity.json", json.dumps({"baseboard-product-name": "X11SSH-F"}, indent=2), DocumentKind.IDENTITY
    )
    unknown.fail("no platform matches board Supermicro X11SSH-F, system Supermicro Super Server")

    server.now_ns = NOW - 47 * MINUTE
    wrong = UnitOnLine(
        server,
        "GP2611-04207",
        nics=("56:78:90:0a:0b:0c", "56:78:90:0a:0b:0d"),
        bmc=("56:78:90:0a:0b:10",),
    )
    wrong.begin()
    server.later(40 * SECOND)
    wrong.document("differences.json", mismatch(), DocumentKind.DIFFERENCES)
    wrong.document(
        "hardware.json", json.dumps({"DevCodeName": "GP-200", "RamMegs": 8192}, indent=2), DocumentKind.HARDWARE
    )
    wrong.fail(
        "GP2611-04207 is not as specified for GP-200 (3 difference(s))", "$.RamMegs: required 16384, detected 8192"
    )

    server.now_ns = NOW - 40 * MINUTE
    silent = UnitOnLine(server, "GP2611-04209", "GP-80")
    silent.begin()
    server.later(5 * MINUTE)
    silent.report(downloads(310_000_000))

    server.now_ns = NOW - 25 * MINUTE
    aborted = UnitOnLine(server, "GP2611-04210")
    aborted.begin()
    server.later(8 * MINUTE)
    aborted.fail("burn-in aborted after 482 s: by a person at the unit")

    server.now_ns = NOW - 12 * MINUTE
    waiting = UnitOnLine(server, "GP2611-04211")
    waiting.begin()
    server.later(10 * MINUTE)
    waiting.passwords()
    waiting.document("GP2611-04211_qav.htm", qa_page("x"))
    waiting.provisioned()

    server.now_ns = NOW - 9 * MINUTE
    running = UnitOnLine(server, "GP2611-04212", "GP-1000R")
    running.begin()
    server.now_ns = NOW - 20 * SECOND
    running.report(downloads(870_000_000))

    server.now_ns = NOW - 8 * MINUTE
    restoring = UnitOnLine(server, "GP2611-04213", "GP-80")
    restoring.begin()
    restoring.provisioned()
    server.now_ns = NOW - 2 * MINUTE
    restoring.restore_begins()
    server.now_ns = NOW - 5 * SECOND
    restoring.report(Progress("PRIMARY", 2_100_000_000, 4_800_000_000))

    server.now_ns = NOW - MINUTE
    UnitOnLine(server, "GP2611-04214").report(LogLine("eth0 has the address 10.1.0.131/24"))
