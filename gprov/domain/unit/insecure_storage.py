"""``insecure.storage`` on RECOVERY of units that gprovision provisioned: passwords of the unit in plain text.

Source: gprovision, pkg/oss/stash/stash.go: the passwords of BIOS setup, management controller and operating system, in
this order, separated by NUL, without line end.
"""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.unit.credentials import Credentials, Secret

MAX_BYTES = 4096
# gprovision takes shorter files for damaged ones.
_MIN_BYTES = 10


def parse_insecure_storage(what: str, data: bytes) -> Credentials:
    """Raises BadInput, which holds none of the passwords. Those of BIOS and controller may be empty."""
    try:
        texts = data.decode().split("\0")
    except UnicodeDecodeError:
        raise BadInput(what, [Problem("", "is not UTF-8")]) from None  # the cause would hold the passwords
    problem = ""
    if len(data) < _MIN_BYTES:
        problem = f"holds {len(data)} bytes, at least {_MIN_BYTES} are expected"
    elif len(texts) != 3:
        problem = f"holds {len(texts)} passwords instead of 3"
    elif not texts[2]:
        problem = "holds no password of the operating system"
    if problem:
        raise BadInput(what, [Problem("", problem)])
    bios, ipmi, system = map(Secret, texts)
    return Credentials(os=system, bios=bios, ipmi=ipmi)
