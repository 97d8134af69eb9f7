"""Names of processor families (DSP0134, section 7.5.2, Processor Family), in dmidecode's spelling."""

from __future__ import annotations

from gprov.domain.formats.smbios.enum_names import OUT_OF_SPEC
from gprov.domain.formats.smbios.table import Structure

# first number of a run -> the names of that number and those that follow
_RUNS = {
    0x01: (
        "Other|Unknown|8086|80286|80386|80486|8087|80287|80387|80487|Pentium|Pentium Pro|Pentium II|Pentium MMX|"
        "Celeron|Pentium II Xeon|Pentium III|M1|M2|Celeron M|Pentium 4 HT"
    ),
    0x18: (
        "Duron|K5|K6|K6-2|K6-3|Athlon|AMD29000|K6-2+|Power PC|Power PC 601|Power PC 603|Power PC 603+|"
        "Power PC 604|Power PC 620|Power PC x704|Power PC 750|Core Duo|Core Duo Mobile|Core Solo Mobile|Atom|"
        "Core M|Core m3|Core m5|Core m7|Alpha|Alpha 21064|Alpha 21066|Alpha 21164|Alpha 21164PC|Alpha 21164a|"
        "Alpha 21264|Alpha 21364|Turion II Ultra Dual-Core Mobile M|Turion II Dual-Core Mobile M|"
        "Athlon II Dual-Core M|Opteron 6100|Opteron 4100|Opteron 6200|Opteron 4200|FX|MIPS|MIPS R4000|MIPS R4200|"
        "MIPS R4400|MIPS R4600|MIPS R10000|C-Series|E-Series|A-Series|G-Series|Z-Series|R-Series|Opteron 4300|"
        "Opteron 6300|Opteron 3300|FirePro|SPARC|SuperSPARC|MicroSPARC II|MicroSPARC IIep|UltraSPARC|"
        "UltraSPARC II|UltraSPARC IIi|UltraSPARC III|UltraSPARC IIIi"
    ),
    0x60: (
        "68040|68xxx|68000|68010|68020|68030|Athlon X4|Opteron X1000|Opteron X2000|Opteron A-Series|Opteron X3000|Zen"
    ),
    0x70: "Hobbit",
    0x78: ("Crusoe TM5000|Crusoe TM3000|Efficeon TM8000"),
    0x80: "Weitek",
    0x82: (
        "Itanium|Athlon 64|Opteron|Sempron|Turion 64|Dual-Core Opteron|Athlon 64 X2|Turion 64 X2|"
        "Quad-Core Opteron|Third-Generation Opteron|Phenom FX|Phenom X4|Phenom X2|Athlon X2|PA-RISC|PA-RISC 8500|"
        "PA-RISC 8000|PA-RISC 7300LC|PA-RISC 7200|PA-RISC 7100LC|PA-RISC 7100"
    ),
    0xA0: (
        "V30|Quad-Core Xeon 3200|Dual-Core Xeon 3000|Quad-Core Xeon 5300|Dual-Core Xeon 5100|Dual-Core Xeon 5000|"
        "Dual-Core Xeon LV|Dual-Core Xeon ULV|Dual-Core Xeon 7100|Quad-Core Xeon 5400|Quad-Core Xeon|"
        "Dual-Core Xeon 5200|Dual-Core Xeon 7200|Quad-Core Xeon 7300|Quad-Core Xeon 7400|Multi-Core Xeon 7400|"
        "Pentium III Xeon|Pentium III Speedstep|Pentium 4|Xeon|AS400|Xeon MP|Athlon XP|Athlon MP|Itanium 2|"
        "Pentium M|Celeron D|Pentium D|Pentium EE|Core Solo"
    ),
    0xBF: (
        "Core 2 Duo|Core 2 Solo|Core 2 Extreme|Core 2 Quad|Core 2 Extreme Mobile|Core 2 Duo Mobile|"
        "Core 2 Solo Mobile|Core i7|Dual-Core Celeron|IBM390|G4|G5|ESA/390 G6|z/Architecture|Core i5|Core i3|"
        "Core i9"
    ),
    0xD2: (
        "C7-M|C7-D|C7|Eden|Multi-Core Xeon|Dual-Core Xeon 3xxx|Quad-Core Xeon 3xxx|Nano|Dual-Core Xeon 5xxx|"
        "Quad-Core Xeon 5xxx"
    ),
    0xDD: ("Dual-Core Xeon 7xxx|Quad-Core Xeon 7xxx|Multi-Core Xeon 7xxx|Multi-Core Xeon 3400"),
    0xE4: (
        "Opteron 3000|Sempron II|Embedded Opteron Quad-Core|Phenom Triple-Core|Turion Ultra Dual-Core Mobile|"
        "Turion Dual-Core Mobile|Athlon Dual-Core|Sempron SI|Phenom II|Athlon II|Six-Core Opteron|Sempron M"
    ),
    0xFA: ("i860|i960"),
    0x100: ("ARMv7|ARMv8"),
    0x104: ("SH-3|SH-4"),
    0x118: ("ARM|StrongARM"),
    0x12C: ("6x86|MediaGX|MII"),
    0x140: "WinChip",
    0x15E: "DSP",
    0x1F4: "Video Processor",
    0x200: ("RV32|RV64|RV128"),
}
_NAMES = {start + index: name for start, names in _RUNS.items() for index, name in enumerate(names.split("|"))}

_SHARED = 0xBE  # once given to both Intel's Core 2 and AMD's K7
_EXTENDED = 0xFE  # the number is in the 16-bit field at 0x28


def processor_family(processor: Structure, version: tuple[int, int]) -> str:
    """Family of a type 4 structure in words."""
    maker = processor.text(0x07) if processor.length >= 0x08 else ""
    number = processor.number(0x06)
    if version == (2, 0) and number == 0x30 and _names(maker, "Intel"):
        return "Pentium Pro"
    if number == _EXTENDED and processor.length >= 0x2A:
        number = processor.number(0x28, 2)
    if number == _SHARED:
        return "Core 2" if _names(maker, "Intel") else "K7" if _names(maker, "AMD") else "Core 2 or K7"
    return _NAMES.get(number, OUT_OF_SPEC)


def _names(maker: str, name: str) -> bool:
    return name in maker or maker.lower().startswith(name.lower())
