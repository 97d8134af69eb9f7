"""ctypes.util for a unit: the distribution's asks ldconfig, ld and gcc, none of which is there.

find_library() is all that third-party packages (pyudev) use of it.
"""

import os

_FOLDER = "/usr/lib/x86_64-linux-gnu"


def find_library(name):
    """File name of a shared library ("udev" -> "libudev.so.1"), or None."""
    prefix = f"lib{name}.so"
    return next((file for file in sorted(os.listdir(_FOLDER)) if file.startswith(prefix)), None)
