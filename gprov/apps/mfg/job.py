"""What provisioning has found out about a unit once its hardware was compared with the specification."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.mfg.inspect import Inspection
from gprov.apps.mfg.ports import FactoryServer
from gprov.apps.mfg.steps import StepRunner
from gprov.domain.bmc.facts import BmcFacts
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.switches import MfgSwitches
from gprov.domain.plan.provision import ProvisionFacts
from gprov.domain.platform.identify import Unit


@dataclass(frozen=True, kw_only=True)
class ProvisioningJob:
    """``data``: the parsed ``manufData.json``; ``inspection``: the hardware found; ``bmc``: None if the platform
    has none; ``facts``: input of the planners."""

    unit: Unit
    data: ManufData
    server: FactoryServer
    inspection: Inspection
    bmc: BmcFacts | None
    facts: ProvisionFacts
    steps: StepRunner
    switches: MfgSwitches
