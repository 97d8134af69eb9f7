"""A simulated unit with a management controller."""

from __future__ import annotations

import json
from dataclasses import replace

from typing_extensions import override

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.net.factory import FakeFactory
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.host.simulation.new_worlds import SERIAL, world_of
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.default_table import default_table
from gprov.domain.unit.credentials import Credentials, Secret
from tests.unit.flow.driver import UnitDriver

PASSWORD = f"ipmi-{SERIAL}"
BMC_MAC = "56:78:90:00:ff:01"


class OtherPassword(FakeFactory):
    """Issues ``ipmi`` for the management controller."""

    ipmi: str

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        return replace(super().credentials(serial, endpoint), ipmi=Secret(self.ipmi))


class BmcUnit(UnitDriver):
    @property
    def bmc(self) -> FakeController:
        assert self.machine.bmc is not None
        return self.machine.bmc

    @property
    def written(self) -> int:
        """How often any disk was written."""
        return sum(self.writes())

    def issue(self, password: str) -> None:
        """Let the factory server issue this password for the BMC."""
        factory = OtherPassword()
        factory.ipmi = password
        self.world.factory = factory

    def use_channel(self, number: int) -> None:
        """``IPMIChannel`` of the platform."""
        [platform] = self.world.platforms
        self.world.platforms = (replace(platform, ipmi_channel=number),)

    def specify(self, **values: Json) -> None:
        """Further keys of the hardware specification."""
        [entry] = json.loads(self.origin.content[MANUF_URL])["ValidationData"]
        self.change_manuf(ValidationData=[{**entry, **values}])

    def stored(self) -> list[bytes]:
        """Content of all files on disks."""
        trees = [volume.current for disk in self.machine.disks for volume in disk.volumes()]
        nodes = [tree.get(path) for tree in trees for path in tree.paths()]
        return [node.content for node in nodes if node is not None]


def bmc_unit(branding: Branding | None = None) -> BmcUnit:
    platform = next(platform for platform in default_table() if platform.ipmi)
    return BmcUnit(world_of(platform, branding or Branding(), FirmwareKind.UEFI))
