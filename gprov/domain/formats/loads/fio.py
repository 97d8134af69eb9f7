"""The JSON report of fio 3 (``--output-format=json``, one job)."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.json.reading import finish, read_object


@dataclass(frozen=True, slots=True, kw_only=True)
class FioJob:
    """``error``: errno with which the job ended, 0 if it did not fail. ``rate``: bytes per second, ``done``: bytes,
    both of the direction that was asked for."""

    error: int
    rate: int
    done: int


def parse_fio(output: bytes, *, writes: bool) -> FioJob:
    """Lines before and after the report (fio prints errors and warnings there) are passed over. Raises BadInput."""
    start, end = output.find(b"{"), output.rfind(b"}") + 1
    if start < 0 or end <= start:
        raise BadInput("fio", [Problem("", "has no report in its output")])
    root = read_object("fio", output[start:end])
    jobs = root.objects("jobs", required=True)
    if len(jobs) != 1:
        root.problem("jobs", f"must be one job, are {len(jobs)}")
        return finish("fio", root, FioJob(error=0, rate=0, done=0))
    (job,) = jobs
    side = job.object("write" if writes else "read", required=True)
    error = job.integer("error", required=True, minimum=0)
    rate = side.integer("bw_bytes", required=True, minimum=0) if side else 0
    done = side.integer("io_bytes", required=True, minimum=0) if side else 0
    return finish("fio", root, FioJob(error=error, rate=rate, done=done))
