"""Schemas of documents that gprov writes and other programs read: of units, of the lab, of an erase."""

from __future__ import annotations

from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import StageVerdict
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.erase.certificate_schema import strict_schema
from gprov.domain.erase.report import ErasureReport
from gprov.domain.factory.fields import Schema
from gprov.domain.mfg.burnin.report import BurnInVerdict
from tools.schemas.parts import Key, document, flag, items, may, need, record, text, word

_NUMBER: Schema = {"type": "number", "minimum": 0}


def _written(*keys: Key) -> Schema:
    return record(keys)


def _perhaps(name: str, means: str) -> Key:
    return need(name, {"type": ["number", "null"]}, means)


BURN_IN = document(
    "burn-in.json",
    "Verdict and measured values of a burn-in; the unit delivers it to the factory server. docs/how-to/burn-in.md",
    _written(
        need("serial", text(), "serial number of the unit"),
        need("platform", text(), "code name"),
        need("verdict", word(verdict.value for verdict in BurnInVerdict), "aborted: it says nothing about the unit"),
        need("reason", text(), "why it was aborted"),
        need("started", text(), "RFC 3339, UTC, by the clock of the unit"),
        need("seconds", _NUMBER, "how long it took"),
        need("tests", items(text()), "what ran, in order"),
        need(
            "checks",
            items(
                _written(
                    need("quantity", text(), "what was measured"),
                    need("measured", text(), "with its unit"),
                    need("limit", text(), "empty: only stated"),
                    need("passed", flag(), "within the limit"),
                )
            ),
            "measured values",
        ),
        need("notes", items(text()), "what was not measured or tested as asked"),
    ),
)
DIFFERENCES = document(
    "differences.json",
    "What a unit has otherwise than its specification asks for. docs/reference/server.md",
    _written(
        may("DevCodeName", {}, "code name of the platform; always written"),
        need(
            "Differences",
            items(
                _written(
                    may("Place", text(), "path in the entry of ValidationData"),
                    may("Required", text(), "what the entry says"),
                    may("Detected", text(), "what the machine has, in full"),
                )
            ),
            "one for each property",
        ),
    ),
)
_STAGE = _written(
    need("name", text(), "provision, restore or boot"),
    need("verdict", word(verdict.value for verdict in StageVerdict), "of this stage"),
    need("reason", text(), "why it failed; empty if it passed"),
    need("seconds", _NUMBER, "on the host, from power-on to the end"),
    need("ending", word(ending.value for ending in Ending), "how the guest ended"),
    _perhaps("init_uptime", "seconds of the guest's kernel when /init started; null: not reached"),
    _perhaps("handover_uptime", "the same, of the hand-over to the system"),
    need(
        "milestones",
        items(_written(need("name", text(), "what was reached"), _perhaps("uptime", "seconds of the kernel"))),
        "in order",
    ),
    need(
        "system",
        {
            "anyOf": [
                _written(
                    need("verdict", text(), "what the system reported"),
                    _perhaps("uptime", "seconds of the guest's kernel"),
                ),
                {"type": "null"},
            ]
        },
        "report of the operating system; null: there was none",
    ),
    need("serial_log", text(), "file with the console's output, in the work folder"),
)
LAB_REPORT = document(
    "Report of the lab",
    "What `gprov lab lifecycle` and its stages write. docs/how-to/lab.md",
    _written(
        need("verdict", word(verdict.value for verdict in StageVerdict), "passed: all stages"),
        need("firmware", word(kind.value for kind in FirmwareKind), "of the unit"),
        need("serial", text(), "serial number of the unit"),
        need("accelerator", word(("tcg", "kvm")), "of QEMU"),
        need("products", {"type": "object", "additionalProperties": text()}, "SHA-256 of kernels and image"),
        need("stages", items(_STAGE), "in order"),
    ),
)
ERASE_REPORT: Schema = document(
    "Erase report",
    "What one run did to the disks of one machine. docs/reference/erase-certificate.md",
    strict_schema(ErasureReport),
)
