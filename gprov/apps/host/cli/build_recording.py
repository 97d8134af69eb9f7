"""``--record`` and ``--from-record`` of ``gprov build kernel``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from gprov.apps.host.cli.output import say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.initramfs.build_inputs import inputs_here, result_of, toolchain_of
from gprov.apps.host.initramfs.build_number import DEFAULT
from gprov.apps.host.initramfs.build_record import (
    BuildInputs,
    BuildRecord,
    Choices,
    InputsDiffer,
    differences,
    remedies,
)
from gprov.apps.host.initramfs.build_record_file import MAX_RECORD, MAX_ROWS, parse_record, serialise_record
from gprov.apps.host.initramfs.builds import BEST_LEVEL, Initramfs, Kernel
from gprov.apps.host.initramfs.hostfiles import write_file
from gprov.apps.host.initramfs.kernel_settings import KernelChoice, KernelSettings, configuration, is_name
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.errors import IntegrityFault, RefusedByPolicy
from gprov.domain.trust.policy import TrustPolicy
from gprov.ports.process import Processes

RecordTo = Annotated[
    str | None,
    typer.Option("--record", metavar="FILE", help="write what the kernel was made of, and its digest"),
]
FromRecord = Annotated[
    str | None,
    typer.Option("--from-record", metavar="FILE", help="build this record's kernel, or say why this machine cannot"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Options of a command line that change the kernel; None for those that were not given."""

    flavor: Flavor | None
    number: int | None
    level: int | None
    fragments: tuple[str, ...]
    modules: bool | None
    firmware: tuple[str, ...]
    policy: TrustPolicy | None
    security_version: int | None

    def choices(self, settings: KernelSettings) -> Choices:
        """``settings``: of the kernel, with these options. Raises BadParameter without a flavour."""
        if self.flavor is None:
            raise typer.BadParameter("is needed without --from-record", param_hint="'--flavor'")
        return Choices(
            flavor=self.flavor,
            number=DEFAULT if self.number is None else self.number,
            level=BEST_LEVEL if self.level is None else self.level,
            fragments=tuple(map(_portable, settings.fragments)),
            modules=settings.modules,
            firmware=tuple(map(_portable, settings.firmware)),
            policy=self.policy,
            security_version=self.security_version or 0,
        )


def completed(given: Given, taken: Choices | None) -> Given:
    """What was not given is as in the record, except for files of the owner, which have to be named."""
    if taken is None:
        return given
    return Given(
        flavor=given.flavor or taken.flavor,
        number=taken.number if given.number is None else given.number,
        level=taken.level if given.level is None else given.level,
        fragments=(*given.fragments, *filter(is_name, taken.fragments)),
        modules=taken.modules if given.modules is None else given.modules,
        firmware=(*given.firmware, *filter(is_name, taken.firmware)),
        policy=given.policy or taken.policy,
        security_version=taken.security_version if given.security_version is None else given.security_version,
    )


class Recording:
    """What both options do during a build. ``to``, ``source``: their files; None for an option that was not given."""

    def __init__(self, processes: Processes, to: str | None, source: str | None) -> None:
        """Raises DeviceMissing, DeviceFault, BadInput for a record that cannot be read."""
        self._processes = processes
        self._to = to
        self._source = source
        self._recorded = None if source is None else parse_record(source, read_user_file(source, MAX_RECORD))
        self._inputs: BuildInputs | None = None

    @property
    def choices(self) -> Choices | None:
        """Of the record to build from."""
        return None if self._recorded is None else self._recorded.inputs.choices

    def toolchain(self) -> Mapping[str, str]:
        """For ``Builder.kernel``; empty if nothing is recorded."""
        return {} if self._to is None and self._source is None else toolchain_of(self._processes)

    def measure(
        self, choices: Choices, choice: KernelChoice, initramfs: Initramfs, toolchain: Mapping[str, str]
    ) -> None:
        """Raises InputsDiffer if they are not those of the record, RefusedByPolicy for what no record can hold."""
        if not toolchain:
            return
        settings = configuration(choice).settings
        here = self._inputs = inputs_here(self._processes, choices, settings, initramfs, toolchain)
        if self._to is not None and (count := len(here.files)) > MAX_ROWS:
            raise RefusedByPolicy(f"{self._to}: a record has at most {MAX_ROWS} files, the initramfs has {count}")
        if self._source is None or self._recorded is None:
            return
        recorded = self._recorded.inputs
        if found := differences(recorded, here):
            raise InputsDiffer(self._source, found, remedies(recorded, here))

    def finish(self, kernel: Kernel, initramfs: Initramfs) -> None:
        """Compare the result, and write the record. ``kernel``: not signed. Raises IntegrityFault, DeviceFault."""
        if self._inputs is None:
            return
        result = result_of(kernel, initramfs)
        if self._recorded is not None:
            if result != self._recorded.result:
                raise IntegrityFault(
                    kernel.files.image,
                    f"was built from the inputs of {self._source}, but is another kernel: recorded "
                    f"{self._recorded.result}, built {result}; report it with both records as a fault of gprov",
                )
            say(f"{self._source}: the same kernel, SHA-256 {result.kernel}", err=True)
        if self._to is not None:
            write_file(self._to, serialise_record(BuildRecord(self._inputs, result)))
            say(f"{self._to}: record of the kernel with SHA-256 {result.kernel}", err=True)


def _portable(name: str) -> str:
    """Of a path only the last part, such that it is still one."""
    return name if is_name(name) else f"./{os.path.basename(os.path.normpath(name))}"
