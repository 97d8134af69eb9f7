"""Composition root of the lab."""

from __future__ import annotations

import os
import sys

from dependency_injector import containers, providers

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.image.create import ImageMaker
from gprov.apps.host.initramfs.cache import Cache, default_root
from gprov.apps.host.initramfs.progress import BuildProgress
from gprov.apps.host.lab.accel import AcceleratorChoice
from gprov.apps.host.lab.argv import Accelerator
from gprov.apps.host.lab.cuts import PowerCuts
from gprov.apps.host.lab.lifecycle import Lab
from gprov.apps.host.lab.probe import GuestProbe
from gprov.apps.host.lab.products import ProductBuilder, Products
from gprov.apps.host.lab.runner import Runner
from gprov.apps.host.lab.scenario import CutScenarios
from gprov.apps.host.lab.smallroot import SmallImages
from gprov.apps.host.lab.stage import StageRunner
from gprov.domain.branding import Branding


def _normal_kernel(products: Products) -> str:
    return products.normal_kernel


class LabContainer(containers.DeclarativeContainer):
    """``lab`` is the use case; ``products`` may be overridden with files that exist."""

    environment = providers.Object(os.environ)
    jobs = providers.Object(len(os.sched_getaffinity(0)))
    processes = providers.Singleton(SystemProcesses)
    progress = providers.Singleton(BuildProgress, providers.Callable(lambda: sys.stderr))
    cache = providers.Singleton(Cache, providers.Factory(default_root, environment))
    archives = providers.Singleton(XzTarArchives, processes, memory_budget=0)
    images = providers.Singleton(ImageMaker, processes, archives, Branding())
    builder = providers.Singleton(ProductBuilder, processes, cache, progress, images, environment, jobs)
    products = providers.Singleton(ProductBuilder.build, builder)
    probe = providers.Singleton(
        GuestProbe, processes, providers.Callable(_normal_kernel, products).provider, progress.provided.note
    )
    kvm_executes = providers.Callable(GuestProbe.executes, probe, Accelerator.KVM)
    accelerator = providers.Singleton(AcceleratorChoice, environment, processes, cache, kvm_executes.provider)
    runner = providers.Singleton(Runner, processes, accelerator.provided.choose)
    stages = providers.Singleton(StageRunner, runner, progress.provided.note)
    lab = providers.Singleton(Lab, processes, stages, products.provider)
    small_images = providers.Singleton(SmallImages, processes, cache, progress, images)
    scenarios = providers.Singleton(CutScenarios, processes, cache, progress, builder, small_images, stages)
    cuts = providers.Singleton(PowerCuts, processes, runner, stages, progress.provided.note)
