"""How many connections the limit of the process for open files allows."""

from __future__ import annotations

import logging
import resource

log = logging.getLogger("gprov.server")

# For the store, the log, files that are written, and programs that read beside the server.
_RESERVE = 128
# A connection, and the file that is sent over it.
_EACH = 2


def connections_within_limits(wanted: int) -> int:
    """Raise the soft limit of open files to the hard one, and return how many connections fit, at most ``wanted``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard and soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return wanted
    fit = max(1, (hard - _RESERVE) // _EACH)
    if fit < wanted:
        log.warning("the process may open %d files: at most %d connections instead of %d", hard, fit, wanted)
    return min(fit, wanted)
