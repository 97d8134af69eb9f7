"""Provisioning of the management controller (BMC): it is read before anything is written, and later gets the unit's
account."""

from __future__ import annotations

from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.bmc import Controller
from gprov.apps.unit.devices.bmc_account import BmcAccount
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.bmc.accounts import choose_user, others_that_may_log_in
from gprov.domain.bmc.facts import BmcFacts
from gprov.domain.errors import BadInput, DeadlineExceeded, DeviceFault
from gprov.domain.mfg.switches import MfgSwitches, Switch
from gprov.domain.platform.model import Platform
from gprov.domain.unit.credentials import Secret

# Entries of the event log that go into the log of provisioning.
_NEWEST_EVENTS = 20


def read_bmc(ports: MfgPorts, platform: Platform, context: UnitContext, switches: MfgSwitches) -> BmcFacts | None:
    """None if the platform has no BMC. Raises DeviceFault, DeadlineExceeded, BadInput or HardwareMismatch if it cannot
    be read, or if it has no room for the unit's account: before anything is written."""
    if not platform.ipmi:
        return None
    bus, controller = context.bus, Controller(ports.bmc, ports.volumes.clock)
    facts = controller.facts(platform.ipmi_channel)
    device = facts.device
    bus.log(
        f"BMC: firmware {device.firmware}, IPMI {device.ipmi}, manufacturer {device.manufacturer}, "
        f"product {device.product}"
    )
    for channel in facts.channels:
        bus.log(f"BMC: {channel.describe()}")
    _log_events(controller, bus)
    if Switch.NO_IPMI_PW not in switches:
        name = context.branding.bmc_user
        chosen = choose_user(facts.users, name)
        bus.log(f"BMC: {name!r} becomes user {chosen.number}")
        for other in others_that_may_log_in(facts.users, chosen.number):
            bus.log(f"BMC: {other.named} may log in and will be disabled")
    return facts


def set_bmc_account(ports: MfgPorts, facts: BmcFacts, context: UnitContext, password: Secret) -> bool:
    """The unit's account becomes administrator with this password, and the only account that may log in. Returns
    whether the password was compared with what the BMC stores: False if the BMC accepts any in a comparison. Raises
    DeviceFault, DeadlineExceeded, BadInput."""
    controller = Controller(ports.bmc, ports.volumes.clock)
    lan = controller.lan_channels()
    used = tuple(channel.number for channel in facts.channels)
    account = BmcAccount(controller, lan, used, context.bus)
    return account.establish(context.branding.bmc_user, password)


def _log_events(controller: Controller, bus: EventBus) -> None:
    """The log of a controller may be unreadable, while all else works: a warning."""
    try:
        log = controller.event_log(_NEWEST_EVENTS)
    except (DeviceFault, DeadlineExceeded, BadInput) as fault:
        bus.warning(f"event log of the BMC not read: {fault}")
        return
    lost = "; older ones were lost" if log.overflow else ""
    bus.log(f"BMC: event log has {log.entries} entries{lost}")
    for entry in log.newest:
        bus.log(f"BMC: {entry.describe()}")
