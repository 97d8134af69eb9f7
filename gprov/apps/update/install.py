"""Steps of an action that change RECOVERY or the next start: fetching and verifying its image, requesting a restore."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.update.fetch import FetchLimits, ImageFetcher
from gprov.apps.update.gate import ImageGate
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.placement import ImagePlacement, NoSpace
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.records import StateFile
from gprov.apps.update.reports import Reports
from gprov.apps.update.result import RoundResult
from gprov.apps.update.server import DdiServer
from gprov.apps.update.source import ImageSource, WrongSize, read_source
from gprov.apps.update.stored import check_name, check_stored
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import (
    BadInput,
    HttpRefusal,
    IntegrityFault,
    InternalError,
    RefusedByPolicy,
)
from gprov.domain.image.manifest import Manifest
from gprov.domain.image.name import SUFFIX
from gprov.domain.update.decide import requested
from gprov.domain.update.messages import Deployment
from gprov.domain.update.offer import offered_image
from gprov.domain.update.state import MAX_PROOF, Phase, Result, UpdateState

# Seconds of a download after which the server is polled: it may have canceled the action.
STRETCH_SECONDS = 60.0
# A file of wrong content is fetched once more: a restart of the unit may have left it so.
_MOST_RESTARTS = 1
# Answers in a row by which the server refuses to hand out the image, or hands out something else.
_MOST_REFUSALS = 5


@dataclass(frozen=True, kw_only=True)
class Installation:
    """``serial``: of the unit. ``reboots``: whether it restarts by itself. ``end``: stores the end of the action and
    removes what is left of it."""

    ports: UpdatePorts
    paths: UpdatePaths
    context: UnitContext
    system: SystemRecords
    server: DdiServer
    placement: ImagePlacement
    gate: ImageGate
    reports: Reports
    serial: str
    reboots: bool
    end: Callable[[StateFile, UpdateState], None]

    def download(self, record: StateFile, deployment: Deployment, sleep: float) -> RoundResult:
        """Fetch the image of the action, and verify it. Raises NetworkFault, DeviceFault: to be tried again."""
        state = _value(record)
        try:
            return self._download(record, deployment)
        except (HttpRefusal, WrongSize) as refusal:
            if state.refusals + 1 < _MOST_REFUSALS:
                record.record(replace(_value(record), refusals=state.refusals + 1))
                self.context.bus.warning(str(refusal))
                return RoundResult(sleep, "the server to hand out the image")
            self._fail(record, str(refusal))
        except (BadInput, IntegrityFault, RefusedByPolicy, NoSpace) as error:
            self._fail(record, str(error), *error.details())
        return RoundResult(sleep)

    def _download(self, record: StateFile, deployment: Deployment) -> RoundResult:
        self.system.check_kernel()
        offer = offered_image(deployment, self.paths.branding.image_prefix)
        source = read_source(self.server, offer, self.paths.branding.image_prefix)
        filename = source.name.filename
        check_name(source.name)
        if filename == self.system.running:
            text = f"{source.name.stem} is installed: this system runs from it"
            self.end(record, replace(_value(record), image=filename, kept=True).ended(Result.SUCCESS, text))
            return RoundResult(0.0)
        admission, has_longer_chain = self.gate.admit(source)
        if admission.manifest is None and not source.artifact.hash[0]:
            raise RefusedByPolicy(f"{filename} has neither a manifest that counts nor a hash: nothing vouches for it")
        if self.placement.is_stored(filename):
            record.record(replace(_value(record), image=filename, kept=True))  # it stays whatever happens
            check_stored(self.ports, self.paths, source, admission.manifest)
            return self._take_stored(record, source, admission.manifest, with_chain=has_longer_chain)
        self._prepare(record, source)
        self.placement.make_room(source, self.gate.refuses)
        limits = FetchLimits(
            proof=_value(record).proof,
            keep_proof=lambda proof: self._keep_proof(record, proof),
            keep_flushed=lambda size: record.record(replace(_value(record), flushed=size)),
            seconds=STRETCH_SECONDS,
        )
        fetcher = ImageFetcher(self.ports, self.paths, self.context)
        before = self._report_progress(record, source)
        fetched = fetcher.fetch(self.server, source, limits)
        if _value(record).refusals:
            record.record(replace(_value(record), refusals=0))
        if fetched.tail is None:
            return RoundResult(0.0 if fetched.size > before else STRETCH_SECONDS)
        if not self._verified(record, source, fetched.tail, admission.manifest):
            return RoundResult(0.0)
        self.placement.place_beside(source, with_chain=has_longer_chain)
        return self._ready(record, source)

    def _take_stored(
        self, record: StateFile, source: ImageSource, manifest: Manifest | None, *, with_chain: bool
    ) -> RoundResult:
        """RECOVERY has the image: nothing of it is fetched."""
        filename = source.name.filename
        self.placement.remove_part(filename)
        if manifest is None:
            self.gate.verify(self.paths.image(filename))
        # What no signer vouches for replaces nothing: a later kernel may want what is there.
        self.placement.place_beside(source, with_chain=with_chain, keeps=manifest is None)
        record.record(replace(_value(record), boot=self.system.boot))
        return self._ready(record, source)

    def _ready(self, record: StateFile, source: ImageSource) -> RoundResult:
        tried = self.system.observe(source.name.filename).tried
        record.record(replace(_value(record), phase=Phase.READY, tried=tried))
        self.context.bus.message(f"{source.name.stem} is on RECOVERY, verified")
        return RoundResult(0.0)

    def _prepare(self, record: StateFile, source: ImageSource) -> None:
        """Before the first byte of the image is written, and after each restart of the unit."""
        state, filename, boot = _value(record), source.name.filename, self.system.boot
        if state.image == filename and state.boot == boot:
            return
        if state.image == filename:
            ImageFetcher(self.ports, self.paths, self.context).drop_unflushed(filename, state.flushed)
            record.record(replace(state, boot=boot))
        else:
            record.record(replace(state, image=filename, kept=False, boot=boot, flushed=0))

    def _keep_proof(self, record: StateFile, proof: str) -> None:
        """One that is too long to be kept is not used."""
        record.record(replace(_value(record), proof=proof if len(proof) <= MAX_PROOF else ""))

    def _verified(self, record: StateFile, source: ImageSource, tail: bytes, manifest: Manifest | None) -> bool:
        """False if the download begins anew. Raises IntegrityFault, BadInput."""
        fetcher = ImageFetcher(self.ports, self.paths, self.context)
        self.context.bus.log(f"verifying {source.name.filename}")
        try:
            fetcher.check(source, tail, manifest.image.digest if manifest is not None else "")
        except IntegrityFault as fault:
            self.placement.remove_part(source.name.filename)
            state = _value(record)
            if state.restarts >= _MOST_RESTARTS:
                raise
            self.context.bus.warning(f"{fault}: the download begins anew")
            record.record(replace(state, restarts=state.restarts + 1, proof="", flushed=0))
            return False
        if manifest is None:
            self.gate.verify(self.paths.part(source.name.filename))
        return True

    def request(self, record: StateFile, sleep: float) -> RoundResult:
        """Have the next start restore the image, and restart the unit if it may. Raises DeviceFault."""
        state = _value(record)
        stem = state.image.removesuffix(SUFFIX)
        if not state.kept and self.placement.is_doubled(state.image):
            self.context.bus.message(f"{state.image} is on RECOVERY by other means, too: it is compared")
            record.record(replace(state, phase=Phase.DOWNLOAD, proof="", flushed=0))
            return RoundResult(0.0)
        if not self.placement.put_in_place(state.image):
            self.context.bus.warning(f"{state.image} is not on RECOVERY any more: it is downloaded again")
            record.record(replace(state, phase=Phase.DOWNLOAD, proof="", flushed=0))
            return RoundResult(0.0)
        try:
            self.system.check_kernel()
            self.gate.admit_stored(state.image, self.paths.image(state.image))
        except RefusedByPolicy as refusal:
            self._fail(record, str(refusal))
            return RoundResult(0.0)
        # The request first: if the power is cut before the state is stored, the next start restores the image, and its
        # system finds that out.
        self.system.request(self.serial, state.image)
        record.record(requested(state, self.system.boot))
        then = "the unit restarts" if self.reboots else "it begins when the unit is restarted"
        self.reports.tell(record, state.action, f"the restore of {stem} is requested: {then}")
        if self.reboots:
            self.ports.restart.restart()
        return RoundResult(sleep, "the restart of the unit")

    def _report_progress(self, record: StateFile, source: ImageSource) -> int:
        """Returns how many bytes of the image are on RECOVERY."""
        status = self.ports.files.status(self.paths.part(source.name.filename))
        done = status.size if status is not None else 0
        self.reports.progress(record, source.name.stem, done, source.size)
        return done

    def _fail(self, record: StateFile, *reasons: str) -> None:
        self.end(record, _value(record).ended(Result.FAILURE, *dict.fromkeys(reasons)))


def _value(record: StateFile) -> UpdateState:
    """The action that the server has offered."""
    if record.value is None:
        raise InternalError("a step of an action without one")
    return record.value
