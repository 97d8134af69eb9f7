"""Schema of manufData.json, and of a hardware specification alone."""

from __future__ import annotations

from gprov.domain.factory.fields import Schema
from gprov.domain.mfg.config_tool import ToolUse
from gprov.domain.mfg.specread import MIN_RECOVERY
from gprov.domain.mfg.steps import ExitStatus, StepPoint
from tools.schemas.formats import Rule
from tools.schemas.parts import (
    END,
    any_of,
    decimals_up_to,
    document,
    filled,
    flag,
    has,
    hex_digits,
    items,
    may,
    need,
    record,
    ref,
    text,
    when,
    whole,
    word,
)

_URL = "[Hh][Tt][Tt][Pp][Ss]?://"
_HOST_AND_PORT = "(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9_.-]+):[0-9]{1,5}(/.*)?"
_WEEK = 7 * 24 * 3600
_MILLION = 1_000_000


def _number(bits: int) -> str:
    """Text of a number of so many bits, as files write those of devices; empty for any."""
    return f"^(0[xX](?=[0-9A-Fa-f]{{1,8}}{END})0*[0-9A-Fa-f]{{1,{bits // 4}}}|{decimals_up_to((1 << bits) - 1)})?{END}"


_FILE = record(
    (
        need("Src", text(f"^{_URL}"), "URL of the file, http or https"),
        may("Sha256", text(hex_digits(64)), "SHA-256 of its content, in hexadecimal"),
        may("Sha1", text(hex_digits(40)), "SHA-1, for files of gprovision; Sha256 is better"),
        may("Size", whole(1), "bytes"),
        may("Dest", text(), "path on RECOVERY; without it the place that the name belongs to"),
    ),
) | any_of(has("Sha256", text(minLength=1)), has("Sha1", text(minLength=1)))


def _disk(least: int) -> Schema:
    return record(
        (
            need("Size", whole(least), "bytes"),
            may("SizeTolerancePct", whole(0, 100), "by how many percent the size may differ; 0 is the default"),
            may("Vendor", text(), "as the disk says; empty for any"),
            may("Model", text(), "as the disk says; empty for any"),
            may("Quantity", whole(1), "how many such disks; 1 is the default"),
        )
    )


_DEVICE = record(
    (
        may("Quantity", whole(0), "how many; 0, the default: there must be none"),
        may("Vendor", text(_number(16)), 'like "0x8086"; empty for any'),
        may("Device", text(_number(16)), 'like "0x10d3"; empty for any'),
        may("Class", text(_number(24)), 'base class and subclass ("0x0200"), or all three bytes; empty for any'),
        may("HumanDescription", text(), "for messages"),
    ),
) | any_of(*(has(name, text(minLength=1)) for name in ("Vendor", "Device", "Class")))
_DEVICES = record(
    (
        may("Exact", flag(), "a device that the list does not name is a difference"),
        may("PCI", items(ref("device")), "devices on PCI"),
        may("USB", items(ref("device")), "devices on USB"),
    ),
) | when(has("Exact", {"const": True}), any_of(has("PCI"), has("USB")))
_FIRMWARE = record(
    (
        may("BIOS", text(), "version of the BIOS"),
        may("IPMI", text(), "version of the management controller; needs IPMI in the platform table"),
        may("FRU", text(), "the same"),
        may("ME", text(), "the same"),
        may("SDR", text(maxLength=0), "of files of gprovision: must be empty, since IPMI does not tell it"),
    )
)
_SPECIFICATION = record(
    (
        need("DevCodeName", filled(), "code name of the platform"),
        need("Recovery", _disk(MIN_RECOVERY), "RECOVERY's disk, at least 1 GiB"),
        need(
            "MainDiskConfigs",
            items(items(ref("disk"), minItems=1), minItems=1),
            "alternatives, each a list of disks; all have the same number of entries",
        ),
        may(
            "CPUInfo",
            record(
                (
                    may("Model", text(), "model name as the kernel says, of all sockets; empty for any"),
                    may("Cores", whole(1), "logical processors as the kernel counts them"),
                    may("Sockets", whole(1), "processors"),
                )
            ),
            "processors",
        ),
        may("RamMegs", whole(1), "MiB of memory, with a margin of 1 %"),
        may("NumOUINics", whole(0), "network interfaces with the brand's MAC prefix"),
        may("OUINicsSequential", flag(), "their MACs are consecutive numbers"),
        may("TotalNics", whole(0), "all network interfaces"),
        may("FirmwareVer", _FIRMWARE, "versions; what is empty is not compared"),
        may("Devices", _DEVICES, "devices on PCI and USB"),
        may("SerNumRegex", text(), "a regular expression that is searched in the serial number"),
        may(
            "DmiMatches",
            {"type": "object", "additionalProperties": {"type": ["string", "null"]}, "patternProperties": {"^_": {}}},
            'keyword of dmidecode ("bios-vendor"), or type, index and label ("17[1] Part Number"), and expected text',
        ),
    )
)
_POINTS = tuple(point.value for point in StepPoint)
_STATUSES = tuple(status.value for status in ExitStatus)
_COMMAND = record(
    (
        need("Command", filled(), "program and arguments, with the quotes of a shell and templates like {{.DLDir}}"),
        may("ExitStatus", word([*_STATUSES, *(f"ES{name}" for name in _STATUSES)]), "which exit status is required"),
        may("AddPath", text(), "a folder that is put in front of PATH"),
        may("AddLibPath", text(), "value of LD_LIBRARY_PATH"),
    )
)
_STEP = record(
    (
        may("Name", text(), "for logs"),
        may("When", word([*_POINTS, *(f"Run{name}" for name in _POINTS)]), "step point; BeforeQA is the default"),
        may("Files", items(ref("file")), "files for the commands, in {{.DLDir}}"),
        may("Commands", items(ref("command")), "in order"),
        may("Verbose", flag(), "log what the commands print"),
    )
)
_STEPS = record(
    (
        need("DevCodeName", filled(), "code name of the platform"),
        may("ConfigSteps", items(ref("step")), "steps of one point run in this order"),
        *(may(use.settings_key, ref("file"), f"settings for {use.key} of the platform table") for use in ToolUse),
    )
)
_SECONDS = whole(1, _WEEK)
_BURN_IN = record(
    (
        need("DevCodeName", filled(), "code name of the platform"),
        need("TimeLimit", _SECONDS, "seconds for all tests together; more than Cpu and Disks take"),
        may("Cpu", record((need("Seconds", _SECONDS, "how long"),), closed=True), "all processors compute"),
        may(
            "Memory",
            record(
                (
                    need("Percent", whole(1, 95), "of the memory"),
                    may("Loops", whole(1, 1000), "how often; 1 is the default"),
                ),
                closed=True,
            ),
            "memory is tested",
        ),
        may(
            "Disks",
            record(
                (
                    need("Seconds", _SECONDS, "how long they are read, and written"),
                    may("WriteTest", flag(), "overwrite and compare, too"),
                    may("MinReadMBs", whole(1, _MILLION), "megabytes per second of each disk"),
                    may("MinWriteMBs", whole(1, _MILLION), "the same; needs WriteTest"),
                ),
                closed=True,
                **when(has("MinWriteMBs"), has("WriteTest", {"const": True})),
            ),
            "all data disks",
        ),
        may(
            "Limits",
            record(
                (
                    may("MaxTemperature", whole(1, 150), "degrees Celsius of any sensor"),
                    may("MaxCorrectedErrors", whole(0, _MILLION), "memory errors that ECC corrected"),
                    may("MaxDiskErrors", whole(0, _MILLION), "by which counters of a disk may grow"),
                ),
                closed=True,
            ),
            "beyond which the burn-in fails",
        ),
    ),
    closed=True,
    **any_of(has("Cpu"), has("Memory"), has("Disks")),
)
MANUF = document(
    "manufData.json",
    "What provisioning fetches, checks and does, for all platforms of a factory. docs/reference/manufdata.md",
    record(
        (
            need("Files", items(ref("file")), "for RECOVERY: an image and the boot kernel at least"),
            need("LogEndpoint", text(f"^({_URL}|{_HOST_AND_PORT}{END})"), "the factory server: URL, or HOST:PORT"),
            may(
                "CredentialEndpoint",
                text(f"^({_URL}|{_HOST_AND_PORT}{END}|\\s*([Pp][Bb][Ll][Oo][Gg]\\s*)?{END})"),
                "where passwords are; without it, or with pblog, the server of LogEndpoint",
            ),
            may("StashFiles", items(ref("file")), "archives that are unpacked, and whose script runs"),
            need("ValidationData", items(ref("specification"), minItems=1), "hardware, one entry for each platform"),
            may("CustomPlatCfgSteps", items(ref("steps")), "steps, one entry for each platform"),
            may("BurnIn", items(ref("burnIn")), "tests under load, one entry for each platform"),
            may("ApplianceJsonUrl", text(f"^(\\s*{END}|{_URL})"), "a platform table to be fetched"),
            may("Kind", {"type": "null"}, "must not be there: it tells other signed documents from this one"),
        )
    ),
    definitions={
        "file": _FILE,
        "disk": _disk(1),
        "device": _DEVICE,
        "specification": _SPECIFICATION,
        "command": _COMMAND,
        "step": _STEP,
        "steps": _STEPS,
        "burnIn": _BURN_IN,
    },
)
HARDWARE = document(
    "Hardware specification",
    "One entry of ValidationData, as `gprov hardware dump` prints and a unit delivers it as hardware.json."
    " docs/reference/manufdata.md",
    _SPECIFICATION,
    definitions={"disk": _disk(1), "device": _DEVICE},
)
HARDWARE_BEYOND = (
    Rule("all alternatives of MainDiskConfigs have the same number of entries", r"lists \d+ disks, the first"),
    Rule("SerNumRegex must be a usable regular expression", r"SerNumRegex: is not a usable regular expression"),
    Rule("keys of DmiMatches must be keywords or fields that gprov knows", r"DmiMatches.*no unit has a value for it"),
)
BEYOND = (
    Rule("Files must have an image and the boot kernel", r"\$\.Files: hold no "),
    Rule(
        "destinations on RECOVERY are valid, differ, and need no folder where a file is",
        r"\.Dest: (?!must be text)|\.Src: (the URL has no file name and|has a|holds a|holds un|is not an image name|"
        r"names that end|\S+ is a folder|\S+ this folder)",
    ),
    Rule(
        "files of one step, and stash archives, have valid names that differ", r"\.Src: has (no|an invalid|the same) "
    ),
    Rule(
        "URLs are absolute, with a valid host and port and without unescaped characters (RFC 3986)",
        r"(\.Src|Endpoint|ApplianceJsonUrl): (is not a URL|has no valid host|has port 0|must begin with http|for the"
        r" server of)",
    ),
    Rule("each platform has one entry in a list", r"has an entry already"),
    Rule(
        "quotes of commands are closed, and templates are known and available at that step",
        r"\.(Command|AddPath|AddLibPath): (unknown template|is empty|has no program|ends in a backslash|a . quote|"
        r"contains characters|.*is not available)",
    ),
    Rule("TimeLimit of a burn-in is more than Cpu and Disks take", r"TimeLimit: is \d+ s, but"),
    *HARDWARE_BEYOND,
)
