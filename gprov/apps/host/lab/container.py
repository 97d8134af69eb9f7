"""Composition root of the lab."""

from __future__ import annotations

import os
import sys

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.image.create import ImageMaker
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.lab.accel import AcceleratorChoice
from gprov.apps.host.lab.argv import Accelerator
from gprov.apps.host.lab.cuts import PowerCuts
from gprov.apps.host.lab.lifecycle import Lab
from gprov.apps.host.lab.owner import lab_trust
from gprov.apps.host.lab.probe import GuestProbe
from gprov.apps.host.lab.products import KernelKeys, ProductBuilder, Products
from gprov.apps.host.lab.runner import Runner
from gprov.apps.host.lab.scenario import CutScenarios, small_products
from gprov.apps.host.lab.secure_boot import lab_signer
from gprov.apps.host.lab.smallroot import SmallImages
from gprov.apps.host.lab.stage import StageRunner
from gprov.apps.unit.composition.wiring import Container, itself, singleton, value
from gprov.domain.branding import Branding
from gprov.ports.archive import Archives
from gprov.ports.process import Processes


def _processes() -> Processes:
    return SystemProcesses()


def _progress() -> BuildProgress:
    return BuildProgress(sys.stderr)


def _cache(lab: LabContainer) -> Cache:
    return Cache(default_root(lab.environment()))


def _archives(lab: LabContainer) -> Archives:
    return XzTarArchives(lab.processes(), memory_budget=0)


def _images(lab: LabContainer) -> ImageMaker:
    return ImageMaker(lab.processes(), lab.archives(), Branding())


def _builder(lab: LabContainer) -> ProductBuilder:
    return ProductBuilder(
        lab.processes(), lab.cache(), lab.progress(), lab.images(), lab.environment(), lab.jobs(), _keys(lab)
    )


def _keys(lab: LabContainer) -> KernelKeys:
    signer = lab_signer(lab.processes(), lab.cache(), lab.progress()) if lab.secure_boot() else None
    return KernelKeys(signer, lab_trust()) if lab.signed() else KernelKeys(signer)


def _products(lab: LabContainer) -> Products:
    return lab.builder().build(lab.suite())


def _probe(lab: LabContainer) -> GuestProbe:
    return GuestProbe(lab.processes(), lambda: lab.products().normal_kernel, lab.progress().note)


def _accelerator(lab: LabContainer) -> AcceleratorChoice:
    return AcceleratorChoice(
        lab.environment(), lab.processes(), lab.cache(), lambda: lab.probe().executes(Accelerator.KVM)
    )


def _runner(lab: LabContainer) -> Runner:
    return Runner(lab.processes(), lab.accelerator().choose)


def _stages(lab: LabContainer) -> StageRunner:
    return StageRunner(lab.runner(), lab.progress().note)


def _lab(lab: LabContainer) -> Lab:
    return Lab(lab.processes(), lab.stages(), lab.products)


def _small_images(lab: LabContainer) -> SmallImages:
    return SmallImages(lab.processes(), lab.cache(), lab.progress(), lab.images())


def _small_products(lab: LabContainer) -> Products:
    return small_products(lab.builder(), lab.small_images())


def _scenarios(lab: LabContainer) -> CutScenarios:
    return CutScenarios(lab.processes(), lab.cache(), lab.progress(), lab.builder(), lab.small_images(), lab.stages())


def _cuts(lab: LabContainer) -> PowerCuts:
    return PowerCuts(lab.processes(), lab.runner(), lab.stages(), lab.progress().note)


class LabContainer(Container):
    """``lab`` is the use case; ``products`` may be replaced by products that were built elsewhere. ``suite``: of the
    Debian root that ``products`` holds an image of, "" for the usual one. ``secure_boot``: kernels are signed with the
    lab's key. ``signed``: kernels have the keys of the lab's owner."""

    environment = value(os.environ)
    jobs = value(len(os.sched_getaffinity(0)))
    suite = value("")
    secure_boot = value(False)
    signed = value(False)
    processes = singleton(_processes)
    progress = singleton(_progress)
    cache = singleton(_cache, itself)
    archives = singleton(_archives, itself)
    images = singleton(_images, itself)
    builder = singleton(_builder, itself)
    products = singleton(_products, itself)
    probe = singleton(_probe, itself)
    accelerator = singleton(_accelerator, itself)
    runner = singleton(_runner, itself)
    stages = singleton(_stages, itself)
    lab = singleton(_lab, itself)
    small_images = singleton(_small_images, itself)
    small_products = singleton(_small_products, itself)
    scenarios = singleton(_scenarios, itself)
    cuts = singleton(_cuts, itself)
