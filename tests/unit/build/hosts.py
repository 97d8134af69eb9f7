"""Build hosts that only pretend: a Debian with its packages, and a toolchain on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from typing_extensions import override

from gprov.ports.process import Completed
from tests.unit.build.test_kernel import Toolchain

# Program -> package with its version.
PACKAGES = {"make": "4.3-4", "gcc": "12.2.0-3", "binutils": "2.40-2", "bison": "3.8", "zstd": "1.5.4"}


class Debian(Toolchain):
    """``packages``: versions by name; each has a program of its name. ``missing``: programs that are not installed."""

    def __init__(
        self, packages: Mapping[str, str] = PACKAGES, *, madison: str = "", missing: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.packages = dict(packages)
        self._madison = madison
        self._missing = missing

    @override
    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 300.0,
        check: bool = True,
    ) -> Completed:
        match list(argv):
            case ["dpkg-query", "--show", layout] if "Depends" in layout:
                lines = (f"installed\t{name}\tamd64\t{version}\t\t\t" for name, version in self.packages.items())
                return Completed(0, "\n".join(lines).encode(), b"")
            case ["dpkg-query", "--search", "--", *paths]:
                names = {path.rpartition("/")[2] for path in paths}
                lines = (f"{name}: /usr/bin/{name}" for name in sorted(names & self.packages.keys()))
                return Completed(1, "\n".join(lines).encode(), b"")
            case ["dpkg", "--print-architecture"]:
                return Completed(0, b"amd64\n", b"")
            case ["apt-cache", "madison", *_]:
                return Completed(0, self._madison.encode(), b"")
            case ["git", *_]:
                return Completed(128, b"", b"no repository")
            case _:
                return super().run(argv, stdin=stdin, env=env, cwd=cwd, timeout=timeout, check=check)

    @override
    def which(self, program: str) -> str | None:
        return None if program in self._missing else super().which(program)
