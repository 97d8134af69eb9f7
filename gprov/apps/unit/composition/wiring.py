"""What every composition root shares: adapters named by import string, imported when first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def lazy(path: str) -> Callable[..., Any]:
    """A factory for ``package.module:Name`` that imports the module only when it is called.

    A normal boot uses few of the adapters that its container names, and each import is time on every boot. The
    result is Any for the type checker: a container declares each provider with its port's type.
    """
    module, _, name = path.partition(":")

    def make(*args: object, **kwargs: object) -> object:
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    make.__qualname__ = make.__name__ = name
    return make
