"""What is reported and counted before the system is started: the state of its array, the boot attempt; and what a
display shows meanwhile."""

from __future__ import annotations

from gprov.apps.init.ports import InitPorts
from gprov.apps.unit.boot.boot_attempts import has_boot_confirmation, record_boot_attempt
from gprov.apps.unit.composition.context import UnitContext
from gprov.domain.boot.boot_counts import REQUEST_KINDS, REQUESTS_ACCEPTED, UNCONFIRMED_WARNING_LIMIT, BootCounts
from gprov.domain.boot.facts import Found, Mounted
from gprov.domain.disk.arrays import FoundArray
from gprov.domain.disk.model import Volume
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.trust.published import BUILT_IN_FILES, BUILT_IN_FOLDER, MAX_PUBLISHED, NUMBERS, PUBLISHED_FOLDER


def prepare_handover(root: Found, array: FoundArray | None, ports: InitPorts, context: UnitContext) -> None:
    """``root``: mounted read-only, as it also is afterwards. ``array``: the array below it that this boot has started,
    in its state before that; None: there is none. A failure is reported and does not stop the boot."""
    volume = root.volume
    context.bus.log(f"starting the system on {volume.node}")
    if array is not None:
        from gprov.apps.init.arrays import report_array

        report_array(array, ports, context)
    before = _count_attempt(volume, ports, context)
    if before.confirmed == 1:
        ports.confirmed_system().record()
    _announce_requests(ports, context)
    _publish_trust(ports, context)
    if isinstance(root.mount, Mounted) and root.mount.expects_display:
        from gprov.domain.boot.start_texts import start_texts

        confirms = has_boot_confirmation(ports.volumes.files, context.mount_points.root)
        ports.start_display().keep_showing(start_texts(before, confirms=confirms))
    _load_keys(volume, ports, context)
    _end_unsealing(ports, context)
    if context.arguments.xlog:
        context.bus.log("the server of the remote log gets nothing of this start: only of restores and failed starts")


def _load_keys(volume: Volume, ports: InitPorts, context: UnitContext) -> None:
    """What the system lacks then is for its adopter to handle: a unit that does not start cannot be repaired."""
    keys = ports.file_system_keys()
    if keys is None:
        return
    try:
        keys.load(volume, context.mount_points.root)
    except GprovError as error:
        text = f"the system is started without the keys of its encrypted file systems: {error}"
        context.bus.error(text)
        ports.operator.show(text)


def _end_unsealing(ports: InitPorts, context: UnitContext) -> None:
    """A unit that starts without this is worth more than the secrets on its RECOVERY."""
    try:
        ports.end_unsealing()
    except (BadInput, DeviceFault) as error:
        text = f"the system can read the secrets that are sealed on RECOVERY: {error}"
        context.bus.warning(text)
        ports.operator.show(text)


def _announce_requests(ports: InitPorts, context: UnitContext) -> None:
    """Tell the system that requests for its next start are acted on, which earlier kernels do not."""
    try:
        ports.volumes.files.replace(REQUESTS_ACCEPTED, REQUEST_KINDS)
    except DeviceFault as fault:
        context.bus.warning(f"the system cannot request a restore or erase: {fault}")


def _publish_trust(ports: InitPorts, context: UnitContext) -> None:
    """Tell the agent of updates which images a restore accepts: what the kernel was built with, and numbers that stores
    besides RECOVERY hold. Most kernels have no keys."""
    files = ports.volumes.files
    try:
        if files.status(BUILT_IN_FOLDER) is None:
            return
        for name in BUILT_IN_FILES:
            if files.status(f"{BUILT_IN_FOLDER}/{name}") is not None:
                content = files.read(f"{BUILT_IN_FOLDER}/{name}", MAX_PUBLISHED)
                files.replace(f"{PUBLISHED_FOLDER}/{name}", content, mode=0o600)
        stores = tuple(ports.ratchets())
        if stores:
            from gprov.apps.init.published_numbers import serialised_numbers

            files.replace(f"{PUBLISHED_FOLDER}/{NUMBERS}", serialised_numbers(stores), mode=0o600)
    except (BadInput, DeviceFault) as error:
        context.bus.warning(f"the system does not know all that a restore judges images by: {error}")


def _count_attempt(volume: Volume, ports: InitPorts, context: UnitContext) -> BootCounts:
    volumes, bus = ports.volumes, context.bus
    before = record_boot_attempt(volumes, volume, context)
    if before.unconfirmed and has_boot_confirmation(volumes.files, context.mount_points.root):
        text = f"the system was started {before.unconfirmed} times in a row without reporting that it is up"
        if before.unconfirmed < UNCONFIRMED_WARNING_LIMIT:
            bus.log(text)
        else:
            bus.warning(text)
            ports.operator.show(text)
    return before
