"""Templates of manufData.json and appliance.json: complete but for values that ``REPLACE-ME`` stands for."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gprov.domain.factory.setup.plan import FactoryPlan, PublishedFile
from gprov.domain.formats.json.unfilled import to_fill
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.files import looks_like_image

_CODE_NAME = to_fill("code name of the platform, the same in both files")
_IMAGE_NAME = "YYYY-MM-DD.NNNN.upd"


def manuf_template(plan: FactoryPlan) -> bytes:
    """manufData.json, with the files that are published already."""
    own, kernel = plan.branding.provision_kernel, plan.branding.boot_kernel
    entries = [_entry(plan, file) for file in plan.published if file.name != own]
    names = [file.name for file in plan.published]
    if not any(looks_like_image(name, plan.branding) for name in names):
        entries.insert(0, _missing(plan, f"{plan.branding.image_prefix}{_IMAGE_NAME}", "of the image"))
    if kernel not in names:
        entries.append(_missing(plan, kernel, "of the boot kernel"))
    return _text(
        {
            "_Help": "docs/reference/manufdata.md; `gprov manuf check`, `gprov server check` say what is to fill in",
            "Files": entries,
            "LogEndpoint": f"{plan.server}/",
            "ValidationData": [
                {
                    "_Help": "`gprov hardware dump`, run as root on a machine, prints such an entry",
                    "DevCodeName": _CODE_NAME,
                    "Recovery": {"Size": to_fill("size of the recovery disk in bytes"), "SizeTolerancePct": 1},
                    "MainDiskConfigs": [
                        [{"Size": to_fill("size of a data disk in bytes"), "SizeTolerancePct": 1, "Quantity": 1}]
                    ],
                }
            ],
        }
    )


def appliance_template() -> bytes:
    """appliance.json with one platform."""
    return _text(
        {
            "_Help": "docs/how-to/platforms.md; `gprov appliance draft` makes an entry from what a machine reports",
            "Variants": [
                {
                    "DevCodeName": _CODE_NAME,
                    "Familyname": to_fill("name of the product family"),
                    "DmiMbMfg": to_fill("manufacturer, as `dmidecode -s baseboard-manufacturer` prints it"),
                    "DmiProdName": to_fill("product, as `dmidecode -s baseboard-product-name` prints it"),
                    "DmiProdModelRegex": ".*",
                    "SerNumField": "system-serial-number",
                    "NICInfo": {"SharedDiagPorts": [], "WANIndex": 0, "DefaultNamesNoDiag": ["Port 1 (WAN)"]},
                    "NumDataDisks": 1,
                    "Disksize": to_fill("size of a data disk in bytes"),
                    "SwRaidlevel": -1,
                    "RecoveryMedia": {"ValidateRDMethod": "usb", "FsType": "ext4", "SSD": True},
                    "Lcd": "none",
                }
            ],
        }
    )


def _entry(plan: FactoryPlan, file: PublishedFile) -> Mapping[str, Json]:
    return {"Src": plan.url_of(file.name), "Size": file.size, "Sha256": file.sha256}


def _missing(plan: FactoryPlan, name: str, whose: str) -> Mapping[str, Json]:
    return {
        "_Help": f"put the file into files/; `gprov manuf entry --url {plan.files_url} FILE` prints this entry for it",
        "Src": to_fill(f"URL {whose}: {plan.files_url}/{name}"),
        "Size": to_fill(f"size {whose} in bytes"),
        "Sha256": to_fill(f"SHA-256 {whose}"),
    }


def _text(document: Mapping[str, Json]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
