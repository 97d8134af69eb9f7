"""The factory of a simulated machine with https only."""

from __future__ import annotations

from gprov.adapters.fake.net.certificate import FakeCertificate
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.host.simulation.world import World
from gprov.domain.unit.trust import OwnCa, SystemCas, argument_for, ca_url

ENCRYPTED_MANUF_URL = MANUF_URL.replace("http:", "https:")


def encrypt(world: World, ca: OwnCa | None) -> None:
    """Serve everything at https URLs, and give the unit ``mfgurl`` and ``mfgca`` for them. ``ca``: the factory's own,
    None for certificates of system CAs."""
    origin = world.origin
    origin.content = {url.replace("http:", "https:"): content for url, content in origin.content.items()}
    origin.content[ENCRYPTED_MANUF_URL] = origin.content[ENCRYPTED_MANUF_URL].replace(b"http:", b"https:")
    origin.certificate = FakeCertificate(ca)
    if ca is not None:
        origin.content[ca_url(ENCRYPTED_MANUF_URL)] = ca.pem.encode()
    name, _, value = argument_for(ca or SystemCas()).partition("=")
    world.arguments = {**world.arguments, "mfgurl": ENCRYPTED_MANUF_URL, name: value}
