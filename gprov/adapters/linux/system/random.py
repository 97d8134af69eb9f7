"""Randomness port: the kernel's generator."""

from __future__ import annotations

import os

from typing_extensions import override

from gprov.ports.clock import Randomness


class SystemRandomness(Randomness):
    @override
    def token(self, size: int) -> bytes:
        """Blocks until the kernel has enough entropy: at most a second since Linux 5.6."""
        return os.urandom(size)
