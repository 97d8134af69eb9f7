"""The running system: what it is, and what it asks of the next start."""

from __future__ import annotations

from gprov.apps.unit.boot.boot_attempts import has_boot_confirmation, read_counts
from gprov.apps.unit.boot.installed_image import installed_image
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.update.paths import UpdatePaths
from gprov.domain.boot.boot_counts import REQUEST_KINDS
from gprov.domain.boot.boot_request import RestoreRequested, parse_boot_request, serialise_boot_request
from gprov.domain.boot.budget import parse_budget
from gprov.domain.errors import BadInput, DeviceFault, RefusedByPolicy
from gprov.domain.image.history import History, parse_history
from gprov.domain.image.name import SUFFIX
from gprov.domain.recovery_files import BUDGET_FILE, HISTORY_FILE
from gprov.domain.update.decide import RunningSystem, reasons_of
from gprov.ports.clock import Clock
from gprov.ports.files import Files

_REQUEST_BYTES = 4096


class SystemRecords:
    """Reads; ``request`` and ``withdraw`` write to the configuration folder of PRIMARY."""

    def __init__(self, files: Files, clock: Clock, paths: UpdatePaths, context: UnitContext) -> None:
        self._files = files
        self._clock = clock
        self._paths = paths
        self._context = context

    @property
    def boot(self) -> str:
        """Id of this start. Raises DeviceFault."""
        return self._files.read(self._paths.boot_id, 64).decode("ascii", "replace").strip()

    @property
    def running(self) -> str:
        """File name of the image of the running system, "" if that is not known. Raises DeviceFault."""
        root = self._paths.system
        stem = installed_image(self._files, root or "/", self._paths.branding.image_prefix)
        return stem + SUFFIX if stem else ""

    def observe(self, image: str) -> RunningSystem:
        """``image``: file name of the action's image. Raises DeviceFault."""
        root = self._paths.system
        counts = read_counts(self._files, root, self._context)
        confirms = has_boot_confirmation(self._files, root)
        result = self.history().result(image.removesuffix(SUFFIX))
        return RunningSystem(
            image=self.running,
            boot=self.boot,
            confirmed=not confirms or (counts.started > 0 and counts.unconfirmed == 0),
            seconds=self._clock.monotonic(),
            pending=self.pending(),
            tried=result.imaging_attempts,
            reasons=reasons_of(result.notes, self._last_restore()),
        )

    def history(self) -> History:
        """Of images; an empty one if it cannot be read, which is reported."""
        path = f"{self._context.log_folder}/{HISTORY_FILE}"
        try:
            return parse_history(self._files.read(path)) if self._files.status(path) is not None else History()
        except (BadInput, DeviceFault) as error:
            self._context.bus.warning(f"the history of images is not known: {error}")
            return History()

    def _last_restore(self) -> str:
        """Why the last restore failed, if no system was confirmed since."""
        path = f"{self._context.log_folder}/{BUDGET_FILE}"
        try:
            return parse_budget(path, self._files.read(path)).reason if self._files.status(path) is not None else ""
        except (BadInput, DeviceFault) as error:
            return f"the record of the last restore is damaged: {error}"

    def pending(self) -> str:
        """File name of the image that the next start is asked to restore, "" for none or another request."""
        try:
            content = read_regular(self._files, self._paths.request, _REQUEST_BYTES)
            request = parse_boot_request(self._paths.request, content) if content is not None else None
        except (BadInput, DeviceFault) as error:
            self._context.bus.warning(f"a request for the next start is not known: {error}")
            return ""
        return request.named if isinstance(request, RestoreRequested) else ""

    def check_kernel(self) -> None:
        """Raises RefusedByPolicy if the kernel that started the system restores no image by its name."""
        wanted = REQUEST_KINDS.split()
        found = read_regular(self._files, self._paths.requests_accepted, _REQUEST_BYTES) or b""
        if not {*wanted} <= {*found.split()}:
            raise RefusedByPolicy(
                "the kernel that started this system restores no image by its name: it is older than the agent."
                " Start a newer kernel of gprov first: factory restore with an image that has one"
            )

    def request(self, serial: str, image: str) -> None:
        """Durable when it returns. Raises DeviceFault."""
        content = serialise_boot_request(RestoreRequested(serial=serial, named=image))
        self._files.replace(self._paths.request, content)

    def withdraw(self, image: str) -> None:
        """The request for this image, if it is pending. Raises DeviceFault."""
        if image and self.pending() == image:
            self._files.remove(self._paths.request)
            self._context.bus.log(f"the request to restore {image} is withdrawn")
