"""What provisioning has found out about a unit once its hardware was compared with the specification."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.mfg.firmware_setup import FirmwareSetup
from gprov.apps.mfg.inspect import Inspection
from gprov.apps.mfg.ports import FactoryServer
from gprov.apps.mfg.steps import StepRunner
from gprov.domain.bmc.facts import BmcFacts
from gprov.domain.formats.smbios.table import SmbiosTable
from gprov.domain.mfg.burnin.report import BurnInReport
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.qa.template import QaTemplate
from gprov.domain.mfg.switches import MfgSwitches
from gprov.domain.plan.provision import ProvisionFacts
from gprov.domain.platform.identify import Unit


@dataclass(frozen=True, kw_only=True)
class ProvisioningJob:
    """``data``: the parsed ``manufData.json``; ``inspection``: the hardware found; ``bmc``: None if the platform has
    none; ``facts``: input of the planners. ``template``: of the QA document. ``begun``: when provisioning began, on the
    monotonic clock. ``burn_in``: None if there was none."""

    unit: Unit
    data: ManufData
    server: FactoryServer
    inspection: Inspection
    bmc: BmcFacts | None
    facts: ProvisionFacts
    steps: StepRunner
    setup: FirmwareSetup
    switches: MfgSwitches
    smbios: SmbiosTable
    template: QaTemplate
    begun: float
    burn_in: BurnInReport | None = None
