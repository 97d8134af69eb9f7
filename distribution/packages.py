"""Debian packages, built of a source archive by dpkg-buildpackage."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from distribution.changelog import CHANGELOG, debian_changelog, parse_changelog
from distribution.sources import unpack
from gprov import __version__


def build_packages(archive: Path, work: Path, output: Path, wheels: Path, now: int) -> list[Path]:
    """``work``: an empty folder. ``wheels``: a folder of ``wheel_folder``. ``now``: date of the packages, in seconds of
    Unix time. Raises RuntimeError with the end of the log, which stays beside the packages."""
    sources = unpack(archive, work)
    releases = parse_changelog((sources / CHANGELOG.name).read_text())
    (sources / "debian/changelog").write_text(debian_changelog(releases, __version__, now))
    output.mkdir(parents=True, exist_ok=True)
    log = output / "build.log"
    environment = {**os.environ, "GPROV_WHEELS": str(wheels), "SOURCE_DATE_EPOCH": str(now), "LC_ALL": "C.UTF-8"}
    environment.pop("PYTHONPATH", None)
    command = ["dpkg-buildpackage", "--build=binary", "--no-sign", "--jobs=auto"]
    with open(log, "wb") as file:
        done = subprocess.run(command, cwd=sources, env=environment, stdout=file, stderr=file, check=False)
    if done.returncode:
        lines = log.read_text(errors="replace").splitlines()
        raise RuntimeError("\n".join(["dpkg-buildpackage failed:", *lines[-30:], f"the whole log: {log}"]))
    return [Path(shutil.copy(path, output)) for path in sorted(work.glob("*.deb"))]
