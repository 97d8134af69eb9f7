"""``gprov build``: kernels and initramfs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli import build_contents, build_ipxe
from gprov.apps.host.cli.build_options import (
    CONFIG,
    SETTINGS,
    SPEC,
    BrandingOption,
    BuiltInCa,
    FirmwareFrom,
    FirmwareOption,
    FlavorIfRecorded,
    FlavorOption,
    FreezeSpec,
    Level,
    LevelIfRecorded,
    Output,
    PlatformsOption,
    Report,
    SettingsFile,
    SignCertificate,
    SignKey,
    builder,
    firmware_files,
    folder_of,
    megabytes_of,
    number_in_environment,
    own_ca,
    own_names,
    paths_of,
    settings_in,
    signer_of,
)
from gprov.apps.host.cli.build_product import KernelFacts, Product, print_product
from gprov.apps.host.cli.build_recording import FromRecord, Given, Recording, RecordTo, completed
from gprov.apps.host.cli.build_report import modules_note
from gprov.apps.host.cli.build_trust import (
    PolicyOption,
    SecurityVersionIfRecorded,
    SecurityVersionOption,
    TrustOption,
    built_in_trust,
)
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import say
from gprov.apps.host.initramfs.builds import BEST_LEVEL
from gprov.apps.host.initramfs.firmware import INSTALLED
from gprov.apps.host.initramfs.hostfiles import check_writable, copy_file, write_file
from gprov.apps.host.initramfs.kernel_settings import KernelChoice, KernelSettings
from gprov.apps.host.initramfs.signing import FRAGMENT
from gprov.domain.errors import ExitCode

_ENVIRONMENT = "Environment: BUILD_NUMBER (decimal, default 1), GPROV_CACHE (default ~/.cache/gprov)."
app = new_app(
    "Build a kernel with its initramfs inside, or the initramfs alone, from the distribution's packages. "
    + _ENVIRONMENT
)
build_contents.attach(app)
build_ipxe.attach(app)


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("initramfs")
def initramfs_alone(
    flavor: FlavorOption,
    output: Output,
    report: Report = False,
    level: Level = BEST_LEVEL,
    spec: FreezeSpec = SPEC,
    ca: BuiltInCa = None,
    trust: TrustOption = None,
    trust_policy: PolicyOption = None,
    security_version: SecurityVersionOption = 0,
    platforms: PlatformsOption = None,
    branding: BrandingOption = None,
    settings: SettingsFile = SETTINGS,
    firmware: FirmwareOption = None,
    firmware_from: FirmwareFrom = INSTALLED,
    as_json: Json = False,
) -> int:
    """The initramfs alone, as a cpio archive compressed with zstd."""
    check_writable(output)
    chosen = settings_in(settings).with_options((), None, paths_of(firmware), None)
    files = firmware_files(chosen, settings, firmware_from)
    keys, own = built_in_trust(trust, trust_policy, security_version), own_names(platforms, branding)
    initramfs = builder().initramfs(spec, flavor, level=level, ca=own_ca(ca), trust=keys, firmware=files, own=own)
    write_file(output, initramfs.content)
    print_product(Product(output, len(initramfs.content), initramfs), report=report, as_json=as_json)
    return ExitCode.DONE


@app.command("kernel")
def kernel(
    output: Output,
    flavor: FlavorIfRecorded = None,
    report: Report = False,
    level: LevelIfRecorded = None,
    spec: FreezeSpec = SPEC,
    ca: BuiltInCa = None,
    trust: TrustOption = None,
    trust_policy: PolicyOption = None,
    security_version: SecurityVersionIfRecorded = None,
    platforms: PlatformsOption = None,
    branding: BrandingOption = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", help="parallel compilers (default: processors)", min=1),
    ] = None,
    config: Annotated[str, typer.Option("--config", metavar="FILE", help="base configuration of the kernel")] = CONFIG,
    settings: SettingsFile = SETTINGS,
    fragment: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE", help="a shipped fragment, or a file .config of your own; may be repeated"),
    ] = None,
    modules: Annotated[
        bool | None,
        typer.Option("--modules/--no-modules", help="loadable modules for the running system", show_default=False),
    ] = None,
    firmware: FirmwareOption = None,
    firmware_from: FirmwareFrom = INSTALLED,
    system_tree: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="write modules and firmware for the image's root, as .tar.zst"),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="MB", min=0, parser=megabytes_of, help="largest size of the kernel without its initramfs"),
    ] = None,
    sign_key: SignKey = None,
    sign_cert: SignCertificate = None,
    record: RecordTo = None,
    from_record: FromRecord = None,
    as_json: Json = False,
) -> int:
    """A kernel with its initramfs inside."""
    _require_apart({"--output": output, "--record": record, "--system-tree": system_tree})
    for path in filter(None, (output, record, system_tree)):
        check_writable(path)
    recording = Recording(SystemProcesses(), record, from_record)
    given = Given(
        flavor=flavor,
        number=number_in_environment(),
        level=level,
        fragments=tuple(paths_of(fragment)),
        modules=modules,
        firmware=tuple(paths_of(firmware)),
        policy=trust_policy,
        security_version=security_version,
    )
    given = completed(given, recording.choices)
    signer = signer_of(sign_key, sign_cert)
    fragments = [*given.fragments, *([] if signer is None else [FRAGMENT])]
    chosen = settings_in(settings).with_options(fragments, given.modules, given.firmware, budget)
    choices = given.choices(chosen)
    files = firmware_files(chosen, settings, firmware_from)
    _require_sense(chosen, signed=signer is not None, system_tree=system_tree is not None, firmware=bool(files))
    builds, choice = builder(), KernelChoice(chosen, config, folder_of(settings))
    keys, own = built_in_trust(trust, choices.policy, choices.security_version), own_names(platforms, branding)
    builds.check(choice)
    toolchain = recording.toolchain()
    initramfs = builds.initramfs(
        spec, choices.flavor, level=choices.level, ca=own_ca(ca), trust=keys, firmware=files, own=own
    )
    recording.measure(choices, choice, initramfs, toolchain)
    jobs = jobs or len(os.sched_getaffinity(0))
    built = builds.kernel(choice, initramfs, choices.number, jobs, toolchain=toolchain)
    recording.finish(built, initramfs)
    if signer is not None:
        built = builds.signed(built, signer)
    if system_tree is not None:
        builds.system_tree(built, files, system_tree)
    elif note := modules_note(chosen, choices.flavor):
        say(note, err=True)
    copy_file(built.files.image, output)
    product = Product(output, os.path.getsize(output), initramfs, KernelFacts(choices.number, built, chosen))
    print_product(product, report=report, as_json=as_json)
    return ExitCode.DONE


def _require_apart(files: Mapping[str, str | None]) -> None:
    """``files``: to be written, by option. Raises BadParameter if one would replace another."""
    seen: dict[str, str] = {}
    for option, path in files.items():
        if path is not None and (first := seen.setdefault(os.path.realpath(path), option)) != option:
            raise typer.BadParameter(f"is the file of {first}: name another one", param_hint=f"'{option}'")


def _require_sense(chosen: KernelSettings, *, signed: bool, system_tree: bool, firmware: bool) -> None:
    """Raises BadParameter for options that exclude each other."""
    if signed and chosen.modules:
        raise typer.BadParameter("excludes --modules: a signed kernel loads no unsigned ones", param_hint="--sign-key")
    if system_tree and not (chosen.modules or firmware):
        raise typer.BadParameter("has no content without --modules or --firmware", param_hint="--system-tree")
