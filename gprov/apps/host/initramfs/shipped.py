"""Where the files are that builds read and gprov ships: configurations of kernels, the freeze specification, modules
that replace those of the distribution, the recipe of the lab's root. They are those of ``buildroot/``."""

from __future__ import annotations

import os

import gprov

_FOLDER = "buildroot"


def shipped_folder() -> str:
    """Return the folder: in an installed package inside of it (``setup.py`` puts it there), in a checkout beside it."""
    package = os.path.dirname(os.path.abspath(gprov.__file__))
    installed = os.path.join(package, _FOLDER)
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), _FOLDER)
