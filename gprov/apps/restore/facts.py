"""All facts that a restore plan depends on, read before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from gprov.apps.restore.admin_password import read_admin_password, replaced_secrets
from gprov.apps.restore.emergency import recorded_marks
from gprov.apps.restore.image_choice import ChosenImage
from gprov.apps.restore.job import RestoreJob
from gprov.apps.unit.boot.boot_entries import started_from_main_kernel
from gprov.apps.unit.boot.kernel_file import read_kernel
from gprov.apps.unit.boot.loader import installable_loader
from gprov.apps.unit.boot.secure_boot import StartableKernels, startable_kernels
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.grub4dos import FALLBACK_MENU, FIRST_MENU
from gprov.domain.boot.kept_arguments import MAX_BYTES, entry_arguments, parse_kept
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import KernelFacts
from gprov.domain.image.imgmeta import parse_imgmeta
from gprov.domain.plan.kernels import KernelPaths, PresentKernels, kernel_paths
from gprov.domain.plan.preconditions import check_boot_arguments
from gprov.domain.plan.restore_facts import NetworkFiles, RestoreFacts
from gprov.domain.platform.identify import Unit
from gprov.domain.recovery_files import (
    KEPT_ARGUMENTS_FILE,
    RECOVERY_MENU,
    SAVED_NETWORK_FILE,
)
from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.netsaved import SavedFile, parse_saved
from gprov.domain.unit.nics import Nic, own_nics
from gprov.domain.unit.restore_options import RestoreOptions
from gprov.ports.files import Files
from gprov.ports.secrets import PasswordHasher


def gather_facts(
    job: RestoreJob,
    chosen: ChosenImage,
    nics: Sequence[Nic],
    ports: VolumePorts,
    hasher: PasswordHasher,
    context: UnitContext,
) -> RestoreFacts:
    """All facts but ``array``. Raises DeviceFault, DeviceMissing."""
    mount_points, files, bus = context.mount_points, ports.files, context.bus
    firmware, options = ports.firmware().kind(), job.options
    kernels = kernel_paths(firmware, mount_points, context.branding)
    kept = _kept_arguments(files, f"{mount_points.recovery}/{KEPT_ARGUMENTS_FILE}", bus)
    _report_imgmeta(chosen, bus)
    secrets = StoredSecrets(ports, mount_points.recovery)
    password = read_admin_password(secrets, hasher, kernels, bus)
    return RestoreFacts(
        branding=context.branding,
        mount_points=mount_points,
        firmware=firmware,
        unit=job.unit,
        image=chosen.verified,
        name=chosen.name,
        targets=job.targets,
        recovery=job.place.recovery.volume if job.place.recovery is not None else None,
        esp=job.place.esp,
        kernels=_present_kernels(kernels, ports, context),
        admin_password=password.value,
        replaced_secrets=replaced_secrets(secrets, password, bus) if job.place.recovery is not None else (),
        network=NetworkFiles(
            _default_network(job.unit, nics, context),
            {} if options.ignore_net_cfg else _saved_network(files, context),
        ),
        keep_options=options.preserve or _has_emergency_options(job),
        emergency_marks=job.emergency.marks if job.emergency is not None else recorded_marks(files, context),
        ignore_saved_network=options.ignore_net_cfg,
        extra_arguments=_extra_arguments(kept, options, firmware, context),
        # The kernel of an image that the owner does not allow would stay for all later starts.
        force_recovery_kernel=context.arguments.kernel_override_recovery or bool(chosen.checked.admission.overruled),
        loader=installable_loader(files, firmware),
        restore_id=f"{job.unit.serial} {chosen.verified.digest} {ports.clock.now_ns()}",
        recovery_menu=_menu(files, f"{mount_points.recovery}/{RECOVERY_MENU}"),
        grub4dos_menu=_grub4dos_menu(files, mount_points.recovery) if firmware is FirmwareKind.BIOS else None,
        kept_arguments=kept,
        foreign=_foreign(files, mount_points.recovery, bus),
        lcd=job.lcd,
    )


def _has_emergency_options(job: RestoreJob) -> bool:
    """The options on removable media are used instead of RECOVERY's, which stay for the next restore."""
    return job.emergency is not None and not job.emergency.images


def _extra_arguments(kept: bytes | None, options: RestoreOptions, firmware: FirmwareKind, context: UnitContext) -> str:
    """Arguments of the boot entries. A wrong argument in a file does not stop a restore."""
    arguments, bus = context.arguments, context.bus
    try:
        stored = parse_kept(KEPT_ARGUMENTS_FILE, kept or b"")
    except BadInput as error:
        bus.warning(f"kept boot arguments not used: {error}")
        stored = ""
    # If both together are not valid, each is tried alone. If both are too long together, the kept ones are used.
    choices = (
        (stored, options.boot_args, ""),
        (stored, "", "BootArgs not used"),
        ("", options.boot_args, "kept boot arguments not used"),
    )
    problem = ""
    for kept_text, given_text, without in choices:
        text = entry_arguments(kept_text, given_text, arguments)
        try:
            check_boot_arguments(firmware, context.branding, text)
        except BadInput as error:
            problem = str(error)
            continue
        if without:
            bus.warning(f"{without}: {problem}")
        return text
    bus.warning(f"kept boot arguments not used, nor BootArgs: {problem}")
    return entry_arguments("", "", arguments)


def _kept_arguments(files: Files, path: str, bus: EventBus) -> bytes | None:
    """For ``RestoreFacts.kept_arguments``: empty if the file does not exist, None if it cannot be read."""
    try:
        return files.read_start(path, MAX_BYTES + 1) if files.status(path) is not None else b""
    except DeviceFault as fault:
        bus.warning(f"kept boot arguments not used: {fault}")
        return None


def _default_network(unit: Unit, nics: Sequence[Nic], context: UnitContext) -> dict[str, bytes]:
    info = unit.platform.nic_info
    unit_nics = own_nics(nics, info.mac_prefixes or (context.branding.mac_prefix,))
    if not unit_nics:
        context.bus.warning("no interface of this unit's own: no default network configuration")
    return default_files(unit_nics, diagnostic=info.diag_ports, wan=info.wan_index, names=info.names)


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


def _present_kernels(paths: KernelPaths, ports: VolumePorts, context: UnitContext) -> PresentKernels:
    startable = startable_kernels(ports, context.bus)
    refused: list[str] = []

    def kernel(path: str) -> KernelFacts | None:
        """None if it is missing, damaged, or refused by the firmware: the restore then uses another one."""
        try:
            found = read_kernel(ports.files, path)
        except (DeviceFault, BadInput) as error:
            context.bus.warning(f"{path} is not usable: {error}")
            return None
        reason = _refusal(startable, ports.files, path)
        if reason:
            refused.append(path)
            context.bus.warning(f"{path} is not usable: the firmware does not start it: {reason}")
            return None
        return found

    if startable is not None:
        context.bus.log("Secure Boot is on")
    started = startable is not None and started_from_main_kernel(ports.firmware(), context)
    main, second = kernel(paths.main), kernel(paths.second)
    doubted = bool(refused) and main is None and second is None
    if doubted:
        context.bus.warning("the firmware has started this unit: no kernel is replaced by one that it may refuse")
    return PresentKernels(
        main=main, second=second, secure_boot=startable is not None, main_started=started, doubted=doubted
    )


def _refusal(startable: StartableKernels | None, files: Files, path: str) -> str:
    if startable is None:
        return ""
    try:
        return startable.refusal(files, path)
    except DeviceFault as fault:
        return f"its signature cannot be checked: {fault}"


def _foreign(files: Files, recovery: str, bus: EventBus) -> tuple[str, ...]:
    """For ``RestoreFacts.foreign``: what is in RECOVERY's root folder and that folder itself, if it is another user's.
    gprovision gave all of RECOVERY to admin, who could then replace kernel, menus and secrets. The contents of folders
    stay as they are, as does all of a RECOVERY whose root folder is root's: steps of the factory may have set owners.
    """
    try:
        if (root := files.status(recovery)) is None or root.uid == 0:
            return ()
        found = [(path, files.status(path)) for path in (f"{recovery}/{name}" for name in files.names(recovery))]
    except DeviceFault as fault:
        bus.warning(f"owners on RECOVERY stay as they are: {fault}")
        return ()
    kinds = (FileType.FILE, FileType.FOLDER)
    foreign = [path for path, status in found if status is not None and status.uid != 0 and status.type in kinds]
    return (*foreign, recovery)


def _grub4dos_menu(files: Files, recovery: str) -> bytes | None:
    """For ``RestoreFacts.grub4dos_menu``."""
    try:
        if files.status(f"{recovery}/{FIRST_MENU}") is None:
            return None
    except DeviceFault:  # the loader may be able to read it
        pass
    return _menu(files, f"{recovery}/{FALLBACK_MENU}")


def _menu(files: Files, path: str) -> bytes:
    try:
        return files.read(path)
    except DeviceFault:  # missing or unreadable: the plan writes it again
        return b""


def _saved_network(files: Files, context: UnitContext) -> dict[str, SavedFile]:
    path = f"{context.log_folder}/{SAVED_NETWORK_FILE}"
    try:
        if files.status(path) is None:
            return {}
        saved = parse_saved(path, files.read(path))
    except (BadInput, DeviceFault) as error:
        context.bus.warning(f"saved network configuration not used: {error}")
        return {}
    context.bus.message("Keeping the network configuration of this unit")
    return saved
