"""ctypes.util for a unit: the distribution's asks ldconfig, ld and gcc, none of which is there.

find_library() is all that third-party packages (pyudev) use of it.
"""

import os

# Of Debian, of Buildroot.
_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib")


def find_library(name):
    """File name of a shared library ("udev" -> "libudev.so.1"), or None."""
    prefix = f"lib{name}.so"
    folder = next(filter(os.path.isdir, _FOLDERS))
    return next((file for file in sorted(os.listdir(folder)) if file.startswith(prefix)), None)
