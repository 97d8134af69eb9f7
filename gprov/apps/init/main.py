"""/init: process 1 of both kernels. With the provisioning kernel and ``mfgurl`` it provisions, else it boots."""

from __future__ import annotations

from importlib.util import find_spec

from gprov.apps.init.container import InitContainer
from gprov.apps.unit.composition.start import guarded, prepare

_MFG = "gprov.apps.mfg.main"


def main() -> None:
    """Never returns on a unit: it becomes the system, or reboots."""
    container = InitContainer()
    guarded(container, lambda: _run(container))


def _run(container: InitContainer) -> None:
    arguments = prepare(container)
    # Only the provisioning initramfs holds that app.
    if find_spec(_MFG) is not None:
        from gprov.apps.mfg.main import provision

        provision(arguments, container)
    container.boot().run()


if __name__ == "__main__":
    main()
