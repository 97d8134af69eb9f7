"""The printable page of an erase certificate: one self-contained HTML document without scripts.

The page proves nothing: it names the file that does.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from gprov.domain.erase.certificate import ErasureCertificate, parse_certificate, sha256_of
from gprov.domain.erase.certificate_style import STYLE
from gprov.domain.erase.outcome import VerificationMethod
from gprov.domain.erase.report import Areas, DiskEntry, ErasureReport, OptionStatus, OverallVerdict
from gprov.domain.erase.report_fields import rfc3339
from gprov.domain.erase.signed import certificate_file
from gprov.domain.formats.html_parts import bullets, line_block, pairs, table, text

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
# frame-ancestors has an effect in the header only.
CONTENT_SECURITY_POLICY = f"{_POLICY}; frame-ancestors 'none'"

_VERDICTS = {
    OverallVerdict.ERASED: "Every disk in scope was erased, and the erase was verified as stated below.",
    OverallVerdict.PARTIAL: "Parts of at least one disk were not erased: see the stated ranges.",
    OverallVerdict.INCOMPLETE: "Not all disks of the machine were found: the missing ones were not erased.",
    OverallVerdict.FAILED: "At least one disk was not erased, or its state is unknown.",
}


def certificate_page(data: bytes) -> str:
    """The page for the content of a certificate's file. Raises BadInput if it is not a certificate; the signature is
    not checked."""
    certificate = parse_certificate(data)
    report = certificate.report
    title = f"Erase certificate {certificate.chain.sequence}"
    full_title = f"{title}: {report.unit.serial}" if report.unit.serial else title
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{text(full_title)}</title>",
            f"<style>{STYLE}</style></head><body>\n",
            f"<h1>{text(title)}</h1>",
            _authority(certificate, data),
            _verdict(report),
            _summary(certificate),
            _overview(report),
            *(_disk(number, entry) for number, entry in enumerate(report.disks, 1)),
            _outside(report),
            _validation(),
            _integrity(certificate, data),
            "</body></html>\n",
        )
    )


def _authority(certificate: ErasureCertificate, data: bytes) -> str:
    name = certificate_file(certificate.chain.sequence)
    return (
        f'<p class="authority">This page is a rendering for people. Authoritative is the signed JSON file '
        f"<code>{text(name)}</code> with the SHA-256 <code>{sha256_of(data)}</code>. A page or print-out proves "
        "nothing.</p>\n"
    )


def _verdict(report: ErasureReport) -> str:
    word = report.verdict.value
    stated = f"Level requested: {report.requested.value}; achieved: {report.achieved.value}."
    failed = [one.name for one in report.options if one.status is OptionStatus.FAILED]
    besides = f" Failed besides the disks: {', '.join(failed)}." if failed else ""
    sentences = text(f"{_VERDICTS[report.verdict]} {stated}{besides}")
    return f'<p class="verdict {word}"><b>{text(word.upper())}</b> {sentences}</p>\n'


def _summary(certificate: ErasureCertificate) -> str:
    report = certificate.report
    return pairs(
        "Machine and run",
        [
            ("Serial number", report.unit.serial),
            ("Manufacturer, product", f"{report.unit.manufacturer} {report.unit.product}".strip()),
            ("Platform", report.unit.platform),
            ("Level requested", report.requested.value),
            ("Level achieved (lowest of the disks)", report.achieved.value),
            ("Started", rfc3339(report.started)),
            ("Ended", rfc3339(report.ended)),
            ("Operator", report.operator),
            ("Tool", f"{report.tool.name} {report.tool.version}"),
            ("Issued by", certificate.issuer.name),
            ("Issued", rfc3339(certificate.issued)),
        ],
    )


def _overview(report: ErasureReport) -> str:
    rows = [
        (
            str(number),
            entry.disk.describe(),
            _gigabytes(entry.disk.size),
            entry.technique_text or "none",
            f"{entry.requested.value} / {entry.achieved.value}",
            entry.verdict.value,
        )
        for number, entry in enumerate(report.disks, 1)
    ]
    heads = ("No.", "Disk", "Size", "Technique", "Level requested / achieved", "Verdict")
    return table("Disks in scope", heads, rows)


def _disk(number: int, entry: DiskEntry) -> str:
    disk = entry.disk
    values = [
        ("Vendor, model", f"{disk.vendor} {disk.model}".strip()),
        ("Serial number", disk.serial),
        ("WWN", disk.wwn),
        ("Firmware", disk.firmware),
        ("Size", _size(disk.size)),
        ("Media, bus, place", f"{disk.media.value}, {disk.bus.value}, {disk.place}"),
        ("Started, ended", f"{rfc3339(entry.started)}, {rfc3339(entry.ended)}"),
        ("Technique", f"{entry.technique_text} ({entry.technique.value})" if entry.technique else "none completed"),
        ("Level requested / achieved", f"{entry.requested.value} / {entry.achieved.value}"),
        ("Basis of the level", entry.basis),
        *_verification(entry),
    ]
    tried = [(one.technique.value, one.status.value, one.detail) for one in entry.tried]
    passes = [
        (one.pattern, _size(one.written), f"{one.seconds:.1f} s", _areas(one.unwritten), one.error)
        for one in entry.passes
    ]
    return "".join(
        (
            f'<section class="disk"><h2>Disk {number}: {text(disk.describe())} {_marked(entry.verdict.value)}</h2>',
            pairs("", values),
            table("Techniques tried", ("Technique", "Result", "Detail"), tried),
            table("Overwrite passes", ("Pattern", "Written", "Time", "Not written", "Error"), passes),
            table(
                "Techniques not usable",
                ("Technique", "Reason"),
                [(r.technique.value, r.reason) for r in entry.refusals],
            ),
            bullets("Not examined", entry.not_examined),
            bullets("Notes", entry.notes),
            bullets("Errors", entry.errors),
            "</section>\n",
        )
    )


def _verification(entry: DiskEntry) -> Iterator[tuple[str, str]]:
    found = entry.verification
    yield "Verification", f"{found.method.value}: {'passed' if found.passed else 'NOT PASSED'}"
    yield "Examined", f"{_size(found.examined)} of {_size(entry.disk.size)}"
    yield "Different", _areas(found.different)
    yield "Unreadable", _areas(found.unreadable)
    if found.method is VerificationMethod.SAMPLE:
        yield "Seed", found.seed
        share = f"less than {found.undetected_share:.4%} of the disk differs"
        yield "Statement of the sample", f"with a probability of {found.confidence:.4%}, {share}"
    if found.error:
        yield "Verification error", found.error


def _outside(report: ErasureReport) -> str:
    outside = [(one.disk.describe(), _size(one.disk.size), one.disk.place, one.reason) for one in report.out_of_scope]
    options = [(one.name, one.status.value, one.detail) for one in report.options]
    found = "".join(
        (
            bullets("Disks that were not found", report.missing),
            table("Disks out of scope (left as they are)", ("Disk", "Size", "Place", "Reason"), outside),
            table("Further data", ("Subject", "Result", "Detail"), options),
        )
    )
    return f"<section><h2>Outside of these disks</h2>{found}</section>\n" if found else ""


def _validation() -> str:
    lines = "".join(f"<tr><th>{text(head)}</th><td></td></tr>" for head in ("Decision", "Name", "Date", "Signature"))
    return (
        "<section><h2>Validation</h2><p>Left blank by gprov. Whether the stated techniques and verification are "
        "sufficient for the data concerned is a decision of the organisation that owns them.</p>"
        f'<table class="blank">{lines}</table></section>\n'
    )


def _integrity(certificate: ErasureCertificate, data: bytes) -> str:
    name = certificate_file(certificate.chain.sequence)
    commands = (
        f"openssl pkeyutl -verify -pubin -inkey factory.pem -rawin -in {name} -sigfile {name}.sig",
        f"gprov erase verify-certificate {name} --key factory.pem",
    )
    values = [
        ("SHA-256 of the JSON file", sha256_of(data)),
        ("SHA-256 of the report", certificate.report_sha256),
        ("Key id (SHA-256 of the public key)", certificate.issuer.key_id),
        ("Sequence in the chain", str(certificate.chain.sequence)),
        ("SHA-256 of the certificate before", certificate.chain.previous or "none: this is the first one"),
    ]
    return (
        pairs("Signature and chain", values)
        + '<section class="check"><p>To check, with the public key from the issuer, not from this page:</p>'
        + f"<pre>{line_block(commands)}</pre></section>\n"
    )


def _size(count: int) -> str:
    return f"{_gigabytes(count)} ({count:,} bytes)"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def _areas(areas: Areas) -> str:
    if not areas.bytes:
        return "none"
    return f"{areas.bytes:,} bytes: " + ", ".join(one.describe() for one in areas.ranges)


def _marked(verdict: str) -> str:
    return f'<span class="{verdict}">{text(verdict)}</span>'
