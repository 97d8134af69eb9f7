"""``gprov lab``: units in virtual machines. What runs them (``lab_runs``) is imported only when one is run."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from gprov.apps.host.cli import lab_options as options
from gprov.apps.host.cli.options import Json, new_app, one_of
from gprov.apps.host.cli.output import say
from gprov.apps.host.lab.disk_shapes import with_bmc, with_nic, with_secure_boot
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import ExitCode

_ENVIRONMENT = "Environment: GPROV_ACCEL (tcg or kvm; default: kvm if a probe succeeds), BUILD_NUMBER, GPROV_CACHE."
app = new_app(
    "Provision, restore and start units in virtual machines with real firmware and a real Debian. " + _ENVIRONMENT
)
_SERIAL = VirtualUnitSpec().serial
_STAGES = ("restore", "provision")


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("lifecycle")
def lifecycle(
    workdir: options.Workdir,
    firmware: options.Firmware = FirmwareKind.UEFI,
    disks: options.Disks = options.USUAL_DISKS,
    platforms: options.Platforms = None,
    platform: options.PlatformName = None,
    controller: options.ControllerOfData = None,
    recovery_controller: options.ControllerOfRecovery = None,
    nic: options.Nic = None,
    netboot: options.Netboot = False,
    serial: options.Serial = _SERIAL,
    lcd: options.Lcd = "none",
    bmc: options.Bmc = False,
    tpm: options.Tpm = False,
    tls: options.Tls = False,
    secure_boot: options.SecureBoot = False,
    signed: options.Signed = False,
    report: options.Report = None,
    kernel: options.Kernel = None,
    provision_kernel: options.ProvisionKernel = None,
    image: options.Image = None,
    sign_cert: options.SignCertificate = None,
    as_json: Json = False,
) -> int:
    """A new unit through provisioning, first restore and normal boot."""
    from gprov.apps.host.cli import lab_runs

    chosen = options.new_spec(disks, firmware, serial, platforms, platform)
    plain = options.on_controllers(chosen, controller, recovery_controller)
    spec = replace(with_bmc(plain) if bmc else plain, netboot=netboot, lcd=options.LCDS[lcd], tpm=tpm, tls=tls)
    spec = replace(with_secure_boot(spec) if secure_boot else spec, signed=signed)
    spec = with_nic(spec, nic) if nic is not None else spec
    request = lab_runs.StageRequest(workdir=workdir, spec=spec, report=report, as_json=as_json)
    built = lab_runs.Built(
        kernel=kernel,
        provision_kernel=provision_kernel,
        image=image,
        certificate=sign_cert,
        required=platforms is not None,
    )
    return lab_runs.new_unit("lifecycle", request, built)


@app.command("provision")
def provision(
    workdir: options.Workdir,
    firmware: options.Firmware = FirmwareKind.UEFI,
    disks: options.Disks = options.USUAL_DISKS,
    platforms: options.Platforms = None,
    platform: options.PlatformName = None,
    controller: options.ControllerOfData = None,
    recovery_controller: options.ControllerOfRecovery = None,
    nic: options.Nic = None,
    netboot: options.Netboot = False,
    serial: options.Serial = _SERIAL,
    lcd: options.Lcd = "none",
    bmc: options.Bmc = False,
    tpm: options.Tpm = False,
    tls: options.Tls = False,
    secure_boot: options.SecureBoot = False,
    signed: options.Signed = False,
    report: options.Report = None,
    kernel: options.Kernel = None,
    provision_kernel: options.ProvisionKernel = None,
    image: options.Image = None,
    sign_cert: options.SignCertificate = None,
    as_json: Json = False,
) -> int:
    """A new unit up to its first restore."""
    from gprov.apps.host.cli import lab_runs

    chosen = options.new_spec(disks, firmware, serial, platforms, platform)
    plain = options.on_controllers(chosen, controller, recovery_controller)
    spec = replace(with_bmc(plain) if bmc else plain, netboot=netboot, lcd=options.LCDS[lcd], tpm=tpm, tls=tls)
    spec = replace(with_secure_boot(spec) if secure_boot else spec, signed=signed)
    spec = with_nic(spec, nic) if nic is not None else spec
    request = lab_runs.StageRequest(workdir=workdir, spec=spec, report=report, as_json=as_json)
    built = lab_runs.Built(
        kernel=kernel,
        provision_kernel=provision_kernel,
        image=image,
        certificate=sign_cert,
        required=platforms is not None,
    )
    return lab_runs.new_unit("provision", request, built)


@app.command("restore")
def restore(workdir: options.Workdir, report: options.Report = None, as_json: Json = False) -> int:
    """Restore the unit in the work folder, for the first time or again."""
    from gprov.apps.host.cli import lab_runs

    return lab_runs.existing_unit("restore", lab_runs.StageRequest(workdir=workdir, report=report, as_json=as_json))


@app.command("boot")
def boot(workdir: options.Workdir, report: options.Report = None, as_json: Json = False) -> int:
    """Start the unit in the work folder until its system is up, and switch it off."""
    from gprov.apps.host.cli import lab_runs

    return lab_runs.existing_unit("boot", lab_runs.StageRequest(workdir=workdir, report=report, as_json=as_json))


@app.command("shell")
def shell(workdir: options.Workdir) -> int:
    """Start the unit in the work folder with its console on this terminal. Ctrl-] switches it off."""
    from gprov.apps.host.cli import lab_runs

    return lab_runs.shell(workdir)


@app.command("cuts")
def cuts(
    workdir: options.Workdir,
    stage: Annotated[
        str, typer.Option(metavar="|".join(_STAGES), help="what is cut", parser=one_of(_STAGES))
    ] = "restore",
    firmware: options.Firmware = FirmwareKind.UEFI,
    disks: options.Disks = options.USUAL_DISKS,
    serial: options.Serial = _SERIAL,
    count: Annotated[int, typer.Option(metavar="N", help="how many cuts", min=1)] = 10,
    seed: Annotated[str, typer.Option(metavar="TEXT", help="decides, with its number, what each cut is")] = "1",
    first: Annotated[int, typer.Option(metavar="N", help="number of the first cut", min=0)] = 0,
    jobs: Annotated[int, typer.Option(metavar="N", help="how many at once", min=1)] = 2,
    signed: options.Signed = False,
    look: Annotated[
        bool, typer.Option("--look", help="only judge what a cut restore leaves of RECOVERY; seconds each")
    ] = False,
    report: options.Report = None,
    as_json: Json = False,
) -> int:
    """Cut the power of small units again and again, and have their disks judged."""
    if look and stage != "restore":
        say("gprov lab: --look is for cuts of a restore: before the first one, RECOVERY need not be whole", err=True)
        return ExitCode.USAGE
    from gprov.apps.host.cli import lab_cuts
    from gprov.apps.host.lab.campaign import Campaign

    campaign = Campaign(seed=seed, first=first, count=count, jobs=jobs, started=not look)
    scenario = lab_cuts.CutSubject(stage=stage, firmware=firmware, disks=disks, serial=serial, signed=signed)
    return lab_cuts.run_cuts(scenario, campaign, workdir, report, as_json=as_json)
