"""Inputs that broke the rule before a defect was fixed."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from fuzz import seeds
from fuzz.documents import MANUF


@dataclass(frozen=True, slots=True)
class Regression:
    """``symptom``: effect before the fix."""

    target: str
    symptom: str
    data: bytes


def regressions() -> Iterator[Regression]:
    digits = b"9" * 4300
    result = b'{"ImageResults":[{"Image":"one","ImagingAttempts":' + digits + b"}]}"
    yield Regression("history", "ValueError: one more than 4300 digits cannot be written", result)
    credentials = rb'{"os":"\ud800","bios":"b","ipmi":"c"}'
    yield Regression("server-replies", "UnicodeEncodeError: a password with half a surrogate pair", credentials)
    budget = rb'{"Version":1,"\ud800":"","\ud800":""}'
    yield Regression(
        "start-budget", "UnicodeEncodeError: half a surrogate pair as a key, twice, in the message", budget
    )
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: "
    yield Regression("http-headers", "ValueError: a length of 5000 digits", answer + b"9" * 5000 + b"\r\n\r\n")
    folded = answer + b'5\r\nETag: "a\r\n b"\r\n\r\n'
    yield Regression("http-headers", "InvalidHeader: a tag of two lines, to be sent back", folded)
    yield Regression("patterns", "ValueError: a count of 5000 digits", b"a{" + b"2" * 5000 + b"}")
    files = [*MANUF["Files"], *({"Src": f"http://h/{number}"} for number in range(2600))]
    yield Regression(
        "manuf-data", "quadratic: each destination against each", seeds.document({**MANUF, "Files": files})
    )
    blanks = b" " * 65000
    yield Regression("commands", "quadratic: white space beside a template", b"a" + blanks)
    yield Regression("commands", "quadratic: comments that do not end", b"{{/*" * 16000)
    yield Regression("netd-tar", "quadratic: an extended header read by a pattern", _extended(b"1" * 60000))


def _extended(payload: bytes) -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = b"x", len(payload)
    return info.tobuf(tarfile.USTAR_FORMAT) + payload + bytes(-len(payload) % 512 + 1024)
