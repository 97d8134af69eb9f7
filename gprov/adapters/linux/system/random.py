"""Randomness port: the kernel's generator."""

from __future__ import annotations

import os

from typing_extensions import override

from gprov.ports.clock import Randomness


class SystemRandomness(Randomness):
    @override
    def token(self, size: int) -> bytes:
        """Waits until the kernel has gathered enough entropy, which takes at most a second since Linux 5.6."""
        return os.urandom(size)
