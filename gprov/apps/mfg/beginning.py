"""The beginning of a provisioning at the factory server: with a one-time token, and after a power cut with the secret
that the provisioning before has left on RECOVERY."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.mfg.ports import FactoryServer, MfgPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.unit_key import key_of_earlier_provisioning
from gprov.domain.factory.replies import FactoryRefused, Refusal
from gprov.domain.factory.start_token import SECRET_BYTES, digest_of
from gprov.domain.unit.credentials import Secret
from gprov.domain.unit.unit_key import UnitKey
from gprov.ports.factory import Start


def begin(server: FactoryServer, endpoint: str, serial: str, ports: MfgPorts, context: UnitContext) -> UnitKey:
    """Have the server take the reports of this run as those of the unit's provisioning. Returns what this provisioning
    must leave on RECOVERY before it asks for passwords. Raises FactoryRefused, with what a person has to do;
    NetworkFault."""
    secret = Secret(ports.randomness.token(SECRET_BYTES).hex())
    start = Start(token=context.arguments.mfg_token, key=digest_of(secret))
    try:
        server.access.start(serial, start)
    except FactoryRefused as refused:
        if refused.refusal is not Refusal.PROOF_NEEDED:
            raise
        context.bus.log("the factory server needs this unit's secret from an earlier provisioning")
        earlier = key_of_earlier_provisioning(ports.volumes, context)
        shown = earlier.for_server(endpoint) if earlier is not None else None
        server.access.start(serial, replace(start, secret=shown, lost=shown is None))
    return UnitKey(secret, endpoint)
