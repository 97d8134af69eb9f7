"""typing_extensions for a unit: the two names that gprov imports at run time.

The package is larger than anything that a normal boot imports besides, and imports inspect.
"""

from typing import NamedTuple


def override(method):
    return method


class Doc(NamedTuple):
    documentation: str
