"""Documents about a machine that does not fit, for the factory server: differences, detected hardware and SMBIOS.

A report that fails causes only a warning: it goes with an error that ends provisioning, which the caller raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, NetworkFault
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.formats.smbios.table import SmbiosTable, parse_table
from gprov.domain.mfg.compare import Hardware
from gprov.domain.mfg.detected import UNIDENTIFIED, detected_entry, entry_text
from gprov.domain.mfg.difference import Difference, differences_json
from gprov.domain.mfg.smbios_report import identity_text, raw_text
from gprov.domain.mfg.spec import DiskSpec
from gprov.domain.platform.unidentified import TOKEN_BYTES, unidentified_serial
from gprov.ports.factory import DocumentStore
from gprov.ports.firmware import SmbiosTable as SmbiosPort


class MachineReports:
    """``serial``: of the machine, or its name if it was not identified."""

    def __init__(self, documents: DocumentStore, serial: str, bus: EventBus) -> None:
        self._documents = documents
        self._serial = serial
        self._bus = bus

    def differences(self, code_name: str, differences: Sequence[Difference]) -> None:
        """Deliver what is not as specified; the caller reports it to the person at the unit."""
        self._deliver("differences.json", differences_json(code_name, differences), DocumentKind.DIFFERENCES)

    def hardware(
        self, code_name: str, read: Callable[[], Hardware], recovery: DiskSpec | None, mac_prefix: str
    ) -> None:
        """Log and deliver the detected hardware as an entry of ``ValidationData``. ``recovery``: the specification of
        RECOVERY's disk, if there is one."""
        try:
            text = entry_text(detected_entry(code_name, read(), recovery, mac_prefix))
        except DeviceFault as fault:
            self._bus.warning(f"detected hardware not reported: {fault}")
            return
        self._log("detected hardware, as an entry of ValidationData", text)
        self._deliver("hardware.json", text, DocumentKind.HARDWARE)

    def smbios(self, firmware: SmbiosPort) -> SmbiosTable:
        """Log and deliver the fields of the table; deliver the raw table. Returns the table, empty if it cannot be
        read."""
        try:
            raw = firmware.structures()
        except DeviceFault as fault:
            self._bus.warning(f"SMBIOS not reported: {fault}")
            return SmbiosTable(())
        self._deliver("smbios.b64", raw_text(raw), DocumentKind.SMBIOS)
        try:
            table = parse_table(raw)
        except BadInput as error:
            self._bus.warning(f"fields of SMBIOS not reported: {error}")
            return SmbiosTable(())
        text = identity_text(table)
        self._log("fields of SMBIOS", text)
        self._deliver("identity.json", text, DocumentKind.IDENTITY)
        return table

    def burn_in(self, text: str) -> None:
        """Deliver the report of a burn-in."""
        self._deliver("burn-in.json", text, DocumentKind.BURN_IN)

    def _log(self, title: str, text: str) -> None:
        self._bus.log(f"{title}:")
        for line in text.splitlines():
            self._bus.log(line)

    def _deliver(self, name: str, text: str, kind: DocumentKind) -> None:
        try:
            self._documents.document(self._serial, name, text, kind)
        except NetworkFault as fault:
            self._bus.warning(f"{name} not delivered to the factory server: {fault}")


def read_hardware(ports: MfgPorts, table: SmbiosTable) -> Hardware:
    """Raises DeviceFault."""
    return Hardware(
        inventory=ports.inventory.read(),
        disks=ports.volumes.blocks.disks(),
        nics=ports.network.nics(),
        smbios=table,
        bmc=ports.bmc_versions(),
    )


def name_of_unidentified(ports: MfgPorts, context: UnitContext) -> str:
    """Under which name this machine reports if it is not identified."""
    try:
        nics = ports.network.nics()
    except DeviceFault as fault:
        context.bus.warning(f"interfaces not listed: {fault}")
        nics = ()
    return unidentified_serial(nics, context.branding.mac_prefix, ports.randomness.token(TOKEN_BYTES))


def report_unidentified(ports: MfgPorts, reports: MachineReports, context: UnitContext) -> None:
    """All that a person needs to write an entry of the platform table and one of ``ValidationData``."""
    table = reports.smbios(ports.smbios)
    reports.hardware(UNIDENTIFIED, lambda: read_hardware(ports, table), None, context.branding.mac_prefix)
