"""Records of arbitrary units for tests of the QA document."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from gprov.apps.host.cli.qa_sample import BURN_IN, DISK, RECORD
from gprov.domain.mfg.burnin.report import Check
from gprov.domain.mfg.qa.record import CommandRecord, FileRecord, QaRecord, StepRecord
from gprov.domain.mfg.spec import CpuSpec, DeviceSpec, DiskSpec, FirmwareVersions
from gprov.domain.platform.inventory import Cpus, Inventory
from gprov.domain.unit.nics import Nic

_TEXT = st.text(max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=y>",
        "</td></table>",
        "{{serial}}",
        "&#60;b&#62;",
        "-->",
        "\ud800",
    ]
)
_PAIRS = st.lists(st.tuples(_TEXT, _TEXT), max_size=3).map(tuple)


@st.composite
def any_record(draw: st.DrawFn) -> QaRecord:
    """All texts of devices, files and commands are arbitrary."""

    def word() -> str:
        return draw(_TEXT)

    unit = replace(RECORD.unit, manufacturer=word(), product=word(), sku=word(), serial=word())
    disk = replace(DISK, node=word(), vendor=word(), model=word(), serial=word(), slot=word())
    hardware = replace(
        RECORD.hardware,
        inventory=Inventory(Cpus((word(), word()), 2, 2), 1 << 30, (), ()),
        smbios=draw(_PAIRS),
        firmware=FirmwareVersions(bios=word(), ipmi=word(), fru=word(), me=word()),
        disks=((word(), disk),),
        nics=(Nic(name=word(), mac=word(), driver=word()),),
        bmc_macs=(word(),),
    )
    spec = replace(
        RECORD.spec,
        code_name=word(),
        cpu=CpuSpec(word()),
        recovery=DiskSpec(size=1, vendor=word(), model=word()),
        pci=(DeviceSpec(quantity=1, vendor=1, description=word()),),
        serial_regex=word(),
        dmi_matches=dict(draw(_PAIRS)),
    )
    burn_in = replace(
        BURN_IN, tests=(word(),), checks=(Check(word(), word(), word(), draw(st.booleans())),), notes=(word(),)
    )
    return replace(
        RECORD,
        unit=unit,
        run=replace(RECORD.run, version=word(), kernel=word()),
        hardware=hardware,
        spec=spec,
        steps=(StepRecord(word(), word(), (CommandRecord(word(), 0, word(), 1.0),)), StepRecord(word(), word())),
        files=(FileRecord(path=word(), size=1, sha256=word(), note=word()),),
        credentials=draw(_PAIRS),
        burn_in=draw(st.none() | st.just(burn_in)),
    )
