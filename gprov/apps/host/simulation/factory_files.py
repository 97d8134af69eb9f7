"""The files that the factory of a simulated machine serves, and the hardware specification among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from gprov.adapters.fake.net.origin import FakeOrigin
from gprov.domain.disk.layout import GIB
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import Platform

BASE_URL = "http://factory.invalid/files"
MANUF_URL = f"{BASE_URL}/manufData.json"
RECOVERY_SIZE = 4 * GIB


def publish(origin: FakeOrigin, files: dict[str, bytes], specification: Mapping[str, object] | None = None) -> None:
    """Serve these files, and a manufData.json that lists them. ``specification``: what it says about the hardware,
    None for that of the default platform."""
    origin.content |= {f"{BASE_URL}/{name}": data for name, data in files.items()}
    listed = [{"Src": f"{BASE_URL}/{name}", "Sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()]
    entry = specification or hardware_specification(default_table()[0], nics=1, own_nics=1)
    document = {"Files": listed, "LogEndpoint": "http://factory.invalid/", "ValidationData": [entry]}
    origin.content[MANUF_URL] = json.dumps(document).encode()


def hardware_specification(platform: Platform, *, nics: int, own_nics: int) -> Mapping[str, object]:
    """The entry of ``ValidationData`` that fits a simulated machine of this platform."""
    data_disks = {"Size": platform.disk_size, "SizeTolerancePct": 1, "Quantity": platform.data_disks}
    return {
        "DevCodeName": platform.code_name,
        "Recovery": {"Size": RECOVERY_SIZE, "SizeTolerancePct": 1, "Quantity": 1},
        "MainDiskConfigs": [[data_disks]],
        "NumOUINics": own_nics,
        "TotalNics": nics,
    }
