"""Schema of the platform table, appliance.json."""

from __future__ import annotations

from gprov.domain.formats.smbios.dmidecode_keywords import KEYWORDS
from gprov.domain.platform.model import (
    FakeraidType,
    Lcd,
    LocateMethod,
    RaidLevel,
    ValidateMethod,
    Virtualization,
)
from tools.schemas.formats import Rule
from tools.schemas.parts import document, filled, flag, items, may, need, record, ref, text, whole, word

_PREFIX = "^\\s*:*[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2}){0,5}:*\\s*$"
_NETWORK = record(
    (
        may(
            "SharedDiagPorts", items(whole(0), uniqueItems=True), "ports shared with diagnostics, from 0 by their MACs"
        ),
        may("WANIndex", whole(0), "which of the other ports leads outside"),
        may("DefaultNamesNoDiag", items(text()), "names of the other ports, in the order of their MACs"),
        may(
            "MACPrefix",
            {"anyOf": [items({"const": "*"}, minItems=1, maxItems=1), items(text(_PREFIX))]},
            "prefixes of the platform's own interfaces, or one * for all; without it the brand's",
        ),
    )
)
_RECOVERY = record(
    (
        may("LocateRDMethod", word(how.value for how in LocateMethod), "how RECOVERY is found"),
        may("ValidateRDMethod", word(how.value for how in ValidateMethod), "how its disk must be attached"),
        may("FsType", text(), "file systems, best first, separated by commas: ext4, ext3"),
        may("FsOptsAdditional", text(), "mount options, separated by commas, without blanks"),
        may("FsOptsOverride", flag(), "they replace the usual ones"),
        may("SSD", flag(), "RECOVERY is an SSD"),
        may("AdminOwnsFolders", flag(), "the image's account for people owns the folders of images and logs"),
    )
)
_PLATFORM = record(
    (
        need("DevCodeName", filled(), "code name: printable, without blanks around it"),
        need("Familyname", filled(), "name of the family"),
        need("DmiMbMfg", filled(), "manufacturer of the base board, or of the system"),
        need("DmiProdName", filled(), "product name of the base board, or of the system"),
        need("DmiProdModelRegex", text(), "regular expression, searched in the SKU number; .* for any"),
        may("DmiPMOverrideTyp", whole(0, 127), "SMBIOS type of the field that is searched instead"),
        may("DmiPMOverrideFld", text(), "its label, as dmidecode prints it"),
        may("CPU", text(), "version of the processors, one a line"),
        need("SerNumField", word(KEYWORDS), "keyword of dmidecode of the serial number"),
        need("NICInfo", _NETWORK, "network interfaces"),
        may("IPMI", flag(), "the unit has a management controller whose account provisioning sets"),
        may("IPMIChannel", whole(0, 15), "channel of its network port; 0: found out"),
        need("NumDataDisks", whole(1), "data disks"),
        need("Disksize", whole(1), "bytes of each"),
        may("DiskSTol", whole(0, 100), "percent by which data disks may differ from each other; 0: 1"),
        may("DiskTTol", whole(0, 100), "percent by which they may differ from Disksize; 0: 5"),
        may("DiskIsSSD", flag(), "data disks are SSDs"),
        need(
            "SwRaidlevel",
            {"type": "integer", "enum": [-1, *(level.value for level in RaidLevel)]},
            "software RAID; -1: none",
        ),
        may("FakeraidType", word(["", *(kind.value for kind in FakeraidType)]), "metadata of firmware RAID"),
        may("BiosConfigTool", text(), "program that sets up the firmware"),
        may("IpmiConfigTool", text(), "program that sets up the management controller"),
        need("RecoveryMedia", ref("recovery"), "RECOVERY's disk"),
        need("Lcd", word([*(lcd.value for lcd in Lcd), "cfex", "caf2k"]), "display; cfex and caf2k mean none"),
        may("Virttype", whole(0, max(Virtualization)), "kind of virtual machine, for programs in the image"),
        may("Partoffset", text(), "for programs in the image"),
        may("Lowmemory", flag(), "for programs in the image"),
        may("Prototype", flag(), "for programs in the image"),
    )
)
PLATFORMS = document(
    "appliance.json",
    "The platform table: models of appliances, and how they are recognised. docs/how-to/platforms.md",
    record((need("Variants", items(ref("platform"), minItems=1), "one entry for each platform"),)),
    definitions={"platform": _PLATFORM, "recovery": _RECOVERY},
)
BEYOND = (
    Rule("DevCodeName is printable, without blanks around it", r"DevCodeName: .* has blanks around it or unprintable"),
    Rule("DmiProdModelRegex must be a usable regular expression", r"DmiProdModelRegex: is not a usable regular"),
    Rule(
        "DmiPMOverrideFld must be a field of the type DmiPMOverrideTyp that gprov knows",
        r"DmiPMOverrideFld: (is missing, though|.* is not a known field)",
    ),
    Rule("a level of RAID needs its number of disks", r"SwRaidlevel: RAID \d+ needs"),
    Rule("WANIndex counts the names in DefaultNamesNoDiag", r"WANIndex: is \d+, but there are only"),
    Rule("FsType names ext4 or ext3, unless RECOVERY is over 9p", r"FsType: .* lists no file system"),
    Rule("FsOptsAdditional has no blanks", r"FsOptsAdditional: must not hold blanks"),
    Rule("no two entries recognise the same machines", r"recognises the same machines as"),
)
