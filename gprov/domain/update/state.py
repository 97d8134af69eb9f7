"""``update/state.json`` on RECOVERY: the action that the unit works on, or has ended last.

It survives the restore that it asks for: the agent of the new system reads it and answers the server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.update.feedback import MAX_DETAIL, MAX_DETAILS

FORMAT = 1
MAX_STATE = 256 << 10  # bytes; each character of the answer can need twelve
MAX_PROOF = 1000  # characters


class Phase(StrEnum):
    """DOWNLOAD: the image is not on RECOVERY yet. READY: it is, verified, and waits for the time of its restore.
    REQUESTED: the next start restores it. ENDED: there is an answer."""

    DOWNLOAD = "download"
    READY = "ready"
    REQUESTED = "requested"
    ENDED = "ended"


class Result(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Answer:
    """How an action ended. ``details``: for the people at the server."""

    result: Result
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateState:
    """``action``: its id on the server; ``identity``: digest of what it installs (``Deployment.identity``). ``image``:
    file name of the image, "" if it is not known yet; ``previous``: file name of the image whose system ran when the
    action began. ``kept``: RECOVERY had the image before, so that it stays whatever happens. ``boot``: id of the start
    in which the download went on last, or the restore was requested. ``tried``: how often restores had tried the image
    before. ``proof``: validator (ETag or date) of the unfinished download; ``flushed``: bytes of it that are durable.
    ``restarts``: how often that began
    anew since its content was wrong; ``refusals``: how often in a row the server did not hand it out. ``answered``:
    the server has the answer, or does not want it; ``sent``: it may have it, since it was sent. ``cancel``: id of the
    cancellation that is to be answered. ``reports``: how many the server was sent before the answer."""

    action: str
    identity: str
    phase: Phase
    image: str = ""
    previous: str = ""
    kept: bool = False
    boot: str = ""
    tried: int = 0
    proof: str = ""
    flushed: int = 0
    restarts: int = 0
    refusals: int = 0
    answer: Answer | None = None
    answered: bool = False
    sent: bool = False
    cancel: str = ""
    reports: int = 0

    @property
    def is_open(self) -> bool:
        return self.phase is not Phase.ENDED

    @property
    def owes_answer(self) -> bool:
        return self.answer is not None and not self.answered

    def ended(self, result: Result, *details: str) -> UpdateState:
        # Names of files can have half characters, with which the state could not be read again.
        texts = (text[:MAX_DETAIL].encode("utf-8", "replace").decode() for text in details[:MAX_DETAILS])
        answer = Answer(result, tuple(texts))
        return replace(self, phase=Phase.ENDED, answer=answer, answered=False, sent=False)


def parse_state(source: str, data: bytes) -> UpdateState:
    """Raises BadInput."""
    root = read_object(source, data)
    root.integer("Format", required=True, minimum=FORMAT, maximum=FORMAT)
    answer = root.object("Answer")
    state = UpdateState(
        action=root.text("Action", required=True),
        identity=root.text("Identity", required=True),
        phase=root.one_of("Phase", {one.value: one for one in Phase}, Phase.DOWNLOAD, required=True),
        image=_name(root, "Image"),
        previous=_name(root, "Previous"),
        kept=root.boolean("Kept"),
        boot=root.text("Boot"),
        tried=root.integer("Tried", minimum=0),
        proof=root.text("Proof"),
        flushed=root.integer("Flushed", minimum=0),
        restarts=root.integer("Restarts", minimum=0),
        refusals=root.integer("Refusals", minimum=0),
        answer=_answer(answer) if answer is not None else None,
        answered=root.boolean("Answered"),
        sent=root.boolean("Sent"),
        cancel=root.text("Cancel"),
        reports=root.integer("Reports", minimum=0),
    )
    if (state.phase is Phase.ENDED) != (state.answer is not None):
        root.problem("Answer", "must be there if the phase is ended, and only then")
    return finish(source, root, state)


def serialise_state(state: UpdateState) -> bytes:
    """Inverse of ``parse_state``."""
    answer = state.answer
    document: Mapping[str, object] = {
        "_comment": "gprov-update: the last action of the update server; `gprov-update forget` removes it",
        "Format": FORMAT,
        "Action": state.action,
        "Identity": state.identity,
        "Phase": state.phase.value,
        "Image": state.image,
        "Previous": state.previous,
        "Kept": state.kept,
        "Boot": state.boot,
        "Tried": state.tried,
        "Proof": state.proof,
        "Flushed": state.flushed,
        "Restarts": state.restarts,
        "Refusals": state.refusals,
        **({"Answer": {"Result": answer.result.value, "Details": list(answer.details)}} if answer is not None else {}),
        "Answered": state.answered,
        "Sent": state.sent,
        "Cancel": state.cancel,
        "Reports": state.reports,
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def _answer(one: JsonObject) -> Answer:
    results = {result.value: result for result in Result}
    return Answer(one.one_of("Result", results, Result.FAILURE, required=True), one.texts("Details"))


def _name(root: JsonObject, key: str) -> str:
    """Of a file in the folder of images."""
    name = root.text(key)
    if "/" in name or "\0" in name or name in (".", ".."):
        root.problem(key, f"must be a name without folders, is {name[:80]!r}")
        return ""
    return name
