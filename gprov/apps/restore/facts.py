"""Everything that a restore plan depends on, read before anything is touched."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gprov.apps.restore.choose import ChosenImage
from gprov.apps.unit.boot.loader import installable_loader
from gprov.apps.unit.execution.executor import Tools
from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import RECOVERY_MENU
from gprov.domain.boot.kept_arguments import KEPT_FILE, MOST_BYTES, entry_arguments, parse_kept
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Disk
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.formats.bzimage import KernelFacts, check_length, parse_bzimage
from gprov.domain.image.imgmeta import parse_imgmeta
from gprov.domain.plan.kernels import KernelPlaces, kernel_places
from gprov.domain.plan.provision import ADMIN_HASH, SECRETS_FOLDER
from gprov.domain.plan.restorable import check_boot_arguments
from gprov.domain.plan.restore_facts import NetworkFiles, RestoreFacts
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.frdata import RestoreOptions
from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.netsaved import ARCHIVE, SavedFile, parse_saved
from gprov.domain.unit.nics import Nic, own_nics
from gprov.ports.files import Files

KERNEL_START = 64 << 10
_CRYPT = re.compile(r"[!-9;-~]+")  # crypt(5): printable, no colon


def gather_facts(
    recovery: RecoveryVolume,
    unit: Unit,
    options: RestoreOptions,
    arguments: BootArguments,
    chosen: ChosenImage,
    targets: tuple[Disk, ...],
    branding: Branding,
    tools: Tools,
    nics: Sequence[Nic],
    bus: EventBus,
) -> RestoreFacts:
    places, files, firmware = recovery.places, tools.files, tools.firmware.kind()
    kernels = kernel_places(firmware, places, branding)
    kept = _kept_arguments(files, f"{places.recovery}/{KEPT_FILE}", bus)
    _report_imgmeta(chosen, bus)
    return RestoreFacts(
        branding,
        places,
        firmware,
        unit,
        chosen.verified,
        chosen.name,
        targets,
        recovery.volume,
        recovery.esp,
        _kernel(files, kernels.main, bus),
        _kernel(files, kernels.second, bus),
        _admin_password(files, places.recovery, kernels, bus),
        NetworkFiles(
            _default_network(unit, nics, branding, bus),
            {} if options.ignore_net_cfg else _saved_network(files, places.recovery, branding, bus),
        ),
        options.preserve,
        options.ignore_net_cfg,
        _extra_arguments(kept, options, arguments, firmware, branding, bus),
        arguments.kernel_override_recovery,
        loader=installable_loader(files, firmware),
        restore_id=f"{unit.serial} {chosen.verified.digest} {tools.clock.now_ns()}",
        recovery_menu=_recovery_menu(files, f"{places.recovery}/{RECOVERY_MENU}"),
        kept_arguments=kept,
    )


def _extra_arguments(
    kept: bytes | None,
    options: RestoreOptions,
    arguments: BootArguments,
    firmware: FirmwareKind,
    branding: Branding,
    bus: EventBus,
) -> str:
    """For the boot entries. What was left in a file must not stop a restore."""
    try:
        before = parse_kept(KEPT_FILE, kept or b"")
    except BadInput as error:
        bus.warning(f"kept boot arguments not used: {error}")
        before = ""
    # Whatever is wrong with one of them must not cost the other; where both are too long, the kept ones stay.
    choices = (
        (before, options.boot_args, ""),
        (before, "", "BootArgs not used"),
        ("", options.boot_args, "kept boot arguments not used"),
    )
    problem = ""
    for known, given, without in choices:
        wanted = entry_arguments(known, given, arguments)
        try:
            check_boot_arguments(firmware, branding, wanted)
        except BadInput as error:
            problem = str(error)
            continue
        if without:
            bus.warning(f"{without}: {problem}")
        return wanted
    bus.warning(f"kept boot arguments not used, nor BootArgs: {problem}")
    return entry_arguments("", "", arguments)


def _kept_arguments(files: Files, path: str, bus: EventBus) -> bytes | None:
    """As ``RestoreFacts`` wants them: empty if nothing was ever kept."""
    try:
        return files.read_start(path, MOST_BYTES + 1) if files.status(path) is not None else b""
    except DeviceFault as fault:
        bus.warning(f"kept boot arguments not used: {fault}")
        return None


def _default_network(unit: Unit, nics: Sequence[Nic], branding: Branding, bus: EventBus) -> dict[str, bytes]:
    info = unit.platform.nic_info
    mine = own_nics(nics, info.mac_prefixes or (branding.mac_prefix,))
    if not mine:
        bus.warning("no interface of this unit's own: no default network configuration")
    return default_files(mine, diagnostic=info.diag_ports, wan=info.wan_index, names=info.names)


def _report_imgmeta(chosen: ChosenImage, bus: EventBus) -> None:
    content = chosen.verified.files.imgmeta
    if content is None:
        return
    try:
        meta = parse_imgmeta(chosen.name.filename, content)
    except BadInput as error:
        bus.warning(str(error))
        return
    bus.log(f"image metadata: {meta}")
    mismatch = meta.mismatch(chosen.name)
    if mismatch:
        bus.warning(mismatch)


def _kernel(files: Files, path: str, bus: EventBus) -> KernelFacts | None:
    """One of RECOVERY's kernels, or None if it is gone or damaged: another then takes its place."""
    try:
        head = files.read_start(path, KERNEL_START)
        facts = parse_bzimage(head)
        # All of it is read: a folder may still tell the length of a file whose blocks are lost.
        check_length(head, files.digests(path).size)
        return facts
    except (DeviceFault, BadInput) as error:
        bus.warning(f"{path} is not usable: {error}")
        return None


def _recovery_menu(files: Files, path: str) -> bytes:
    try:
        return files.read(path)
    except DeviceFault:  # whatever is wrong with it, it is to be written anew
        return b""


def _admin_password(files: Files, recovery: str, kernels: KernelPlaces, bus: EventBus) -> PasswordHash | None:
    """Raises DeviceFault if nothing else of RECOVERY can be read, either: it is gone, with the image that was good a
    moment ago, and PRIMARY would be wiped for nothing."""
    path = f"{recovery}/{SECRETS_FOLDER}/{ADMIN_HASH}"
    try:
        if files.status(path) is None:
            _say_locked(f"{path} is not there", bus)
            return None
        text = files.read(path, 4096).decode("ascii", "replace").strip()
    except DeviceFault as fault:
        if not any(_readable(files, kernel) for kernel in (kernels.main, kernels.second)):
            raise
        # It is the secret's, and not of the image that is being planned for.
        _say_locked(str(fault), bus)
        return None
    if not _CRYPT.fullmatch(text):
        # A unit whose administrator cannot log in can still be helped; one that never restores cannot.
        _say_locked(f"{path} holds no password hash", bus)
        return None
    return PasswordHash(text)


def _say_locked(why: str, bus: EventBus) -> None:
    """What the image has may be no password, or one that all units have."""
    text = f"The admin account of the restored system is LOCKED: {why}; provision the unit again to set its password"
    bus.error(text)
    bus.message(text)


def _readable(files: Files, path: str) -> bool:
    """Asks the medium, not what is remembered of it."""
    try:
        files.digests(path)
    except DeviceFault:
        return False
    return True


def _saved_network(files: Files, recovery: str, branding: Branding, bus: EventBus) -> dict[str, SavedFile]:
    path = f"{recovery}/{branding.log_folder}/{ARCHIVE}"
    try:
        if files.status(path) is None:
            return {}
        saved = parse_saved(path, files.read(path))
    except (BadInput, DeviceFault) as error:
        bus.warning(f"saved network configuration not used: {error}")
        return {}
    bus.message("Keeping the network configuration of this unit")
    return saved
