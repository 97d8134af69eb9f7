"""Words for numbers in SMBIOS structures (enumerations of DSP0134, section 7), spelled as dmidecode spells them:
that is what platform tables and specifications in the field compare with."""

from __future__ import annotations

from dataclasses import dataclass

OUT_OF_SPEC = "<OUT OF SPEC>"


@dataclass(frozen=True, slots=True)
class EnumNames:
    """Names of consecutive numbers from ``first`` on."""

    names: tuple[str, ...]
    first: int = 1

    def name_of(self, number: int) -> str:
        index = number - self.first
        return self.names[index] if 0 <= index < len(self.names) else OUT_OF_SPEC

    def flags(self, number: int) -> str:
        """Names of the bits that are set; bit ``first`` has the first name. "None" if no bit from there on is."""
        if not number >> self.first:
            return "None"
        return " ".join(name for bit, name in enumerate(self.names, self.first) if number >> bit & 1)


def _names(text: str, first: int = 1) -> EnumNames:
    return EnumNames(tuple(text.split("|")), first)


WAKE_UP = _names("Reserved|Other|Unknown|APM Timer|Modem Ring|LAN Remote|Power Switch|PCI PME#|AC Power Restored", 0)
BOARD_TYPE = _names(
    "Unknown|Other|Server Blade|Connectivity Switch|System Management Module|Processor Module|I/O Module|"
    "Memory Module|Daughter Board|Motherboard|Processor+Memory Module|Processor+I/O Module|Interconnect Board"
)
CHASSIS_TYPE = _names(
    "Other|Unknown|Desktop|Low Profile Desktop|Pizza Box|Mini Tower|Tower|Portable|Laptop|Notebook|Hand Held|"
    "Docking Station|All In One|Sub Notebook|Space-saving|Lunch Box|Main Server Chassis|Expansion Chassis|"
    "Sub Chassis|Bus Expansion Chassis|Peripheral Chassis|RAID Chassis|Rack Mount Chassis|Sealed-case PC|"
    "Multi-system|CompactPCI|AdvancedTCA|Blade|Blade Enclosing|Tablet|Convertible|Detachable|IoT Gateway|"
    "Embedded PC|Mini PC|Stick PC"
)
CHASSIS_LOCK = _names("Not Present|Present", 0)
CHASSIS_STATE = _names("Other|Unknown|Safe|Warning|Critical|Non-recoverable")
CHASSIS_SECURITY = _names("Other|Unknown|None|External Interface Locked Out|External Interface Enabled")
PROCESSOR_TYPE = _names("Other|Unknown|Central Processor|Math Processor|DSP Processor|Video Processor")
PROCESSOR_STATUS = EnumNames(
    ("Unknown", "Enabled", "Disabled By User", "Disabled By BIOS", "Idle", OUT_OF_SPEC, OUT_OF_SPEC, "Other"), 0
)
PROCESSOR_UPGRADE = _names(
    "Other|Unknown|Daughter Board|ZIF Socket|Replaceable Piggy Back|None|LIF Socket|Slot 1|Slot 2|370-pin Socket|"
    "Slot A|Slot M|Socket 423|Socket A (Socket 462)|Socket 478|Socket 754|Socket 940|Socket 939|Socket mPGA604|"
    "Socket LGA771|Socket LGA775|Socket S1|Socket AM2|Socket F (1207)|Socket LGA1366|Socket G34|Socket AM3|"
    "Socket C32|Socket LGA1156|Socket LGA1567|Socket PGA988A|Socket BGA1288|Socket rPGA988B|Socket BGA1023|"
    "Socket BGA1224|Socket BGA1155|Socket LGA1356|Socket LGA2011|Socket FS1|Socket FS2|Socket FM1|Socket FM2|"
    "Socket LGA2011-3|Socket LGA1356-3|Socket LGA1150|Socket BGA1168|Socket BGA1234|Socket BGA1364|Socket AM4|"
    "Socket LGA1151|Socket BGA1356|Socket BGA1440|Socket BGA1515|Socket LGA3647-1|Socket SP3|Socket SP3r2|"
    "Socket LGA2066|Socket BGA1392|Socket BGA1510|Socket BGA1528|Socket LGA4189|Socket LGA1200|Socket LGA4677"
)
MEMORY_FORM = _names(
    "Other|Unknown|SIMM|SIP|Chip|DIP|ZIP|Proprietary Card|DIMM|TSOP|Row Of Chips|RIMM|SODIMM|SRIMM|FB-DIMM|Die"
)
MEMORY_TYPE = _names(
    "Other|Unknown|DRAM|EDRAM|VRAM|SRAM|RAM|ROM|Flash|EEPROM|FEPROM|EPROM|CDRAM|3DRAM|SDRAM|SGRAM|RDRAM|DDR|DDR2|"
    "DDR2 FB-DIMM|Reserved|Reserved|Reserved|DDR3|FBD2|DDR4|LPDDR|LPDDR2|LPDDR3|LPDDR4|"
    "Logical non-volatile device|HBM|HBM2|DDR5|LPDDR5"
)
MEMORY_DETAIL = _names(
    "Other|Unknown|Fast-paged|Static Column|Pseudo-static|RAMBus|Synchronous|CMOS|EDO|Window DRAM|Cache DRAM|"
    "Non-Volatile|Registered (Buffered)|Unbuffered (Unregistered)|LRDIMM"
)
MEMORY_TECHNOLOGY = _names("Other|Unknown|DRAM|NVDIMM-N|NVDIMM-F|NVDIMM-P|Intel Optane DC persistent memory")
MEMORY_MODE = _names(
    "Other|Unknown|Volatile memory|Byte-accessible persistent memory|Block-accessible persistent memory"
)
IPMI_INTERFACE = _names(
    "Unknown|KCS (Keyboard Control Style)|SMIC (Server Management Interface Chip)|BT (Block Transfer)|"
    "SSIF (SMBus System Interface)",
    0,
)
IPMI_SPACING = _names("Successive Byte Boundaries|32-bit Boundaries|16-byte Boundaries", 0)
POWER_STATUS = _names("Other|Unknown|OK|Non-critical|Critical")
POWER_TYPE = _names("Other|Unknown|Linear|Switching|Battery|UPS|Converter|Regulator")
POWER_SWITCHING = _names("Other|Unknown|Manual|Auto-switch|Wide Range|N/A")
