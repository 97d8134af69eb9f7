"""/init: process 1 of both kernels. The provisioning kernel provisions, the normal kernel boots.

In the provisioning initramfs, ``gprov-hardware`` is a link to it: an adopter's start module counts there, too.
"""

from __future__ import annotations

import os
import sys

from gprov import apps
from gprov.apps.init.container import InitContainer
from gprov.apps.unit.composition.start import prepare_environment, run_as_init

# Only the provisioning initramfs contains this app.
_MFG = ("mfg/main.pyc", "mfg/main.py")
_HARDWARE_TOOL = "gprov-hardware"


def main() -> None:
    """Never returns on a unit: it ends in switch root, a reboot or power-off."""
    start(InitContainer())


def start(container: InitContainer) -> None:
    """Like ``main``, with a container in which an adopter has replaced providers."""
    if os.path.basename(sys.argv[0]) == _HARDWARE_TOOL:
        from gprov.apps.mfg.hardware_main import run_tool

        sys.exit(run_tool(sys.argv[1:], container))
    run_as_init(container, lambda: _run(container))


def _run(container: InitContainer) -> None:
    # Not by importlib, which is a package with several parts: each import is time on every boot.
    provisioning = any(os.path.exists(f"{folder}/{file}") for folder in apps.__path__ for file in _MFG)
    arguments = prepare_environment(container, provisioning=provisioning)
    if provisioning:
        from gprov.apps.mfg.main import provision

        provision(arguments, container)
    container.boot().run()


if __name__ == "__main__":
    main()
