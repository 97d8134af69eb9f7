"""Makes what gprov is distributed as: ``python -m distribution [--output FOLDER] [sdist|wheel|deb …]``.

A source archive with all that git tracks, the wheel that is built of it, and Debian packages that are built of it.
docs/how-to/install.md says how they are installed. Prints the paths of the files.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from distribution.changelog import CHANGELOG, parse_changelog, version_problem
from distribution.lock import chosen_lock
from distribution.packages import build_packages
from distribution.sources import ROOT, build_source_archive, build_wheel, source_date, unpack
from distribution.wheels import wheel_folder
from gprov import __version__

KINDS = ("sdist", "wheel", "deb")
# Beside the wheel: what it needs, with hashes.
LOCK = "requirements.txt"


def make(output: Path, kinds: Sequence[str]) -> list[Path]:
    """Return the paths of the files. The source archive is always made. Raises ValueError if the changelog is not that
    of the version."""
    problem = version_problem(parse_changelog(CHANGELOG.read_text())[0], __version__)
    if problem is not None:
        raise ValueError(f"{CHANGELOG}: {problem}")
    now = source_date(ROOT)
    with tempfile.TemporaryDirectory(prefix="gprov-packages-") as folder:
        work = {name: Path(folder, name) for name in KINDS}
        archive = build_source_archive(ROOT, work["sdist"], output)
        made = [archive]
        if "wheel" in kinds:
            (output / LOCK).write_text(chosen_lock("runtime"))
            made += [build_wheel(unpack(archive, work["wheel"]), output, now), output / LOCK]
        if "deb" in kinds:
            made += build_packages(archive, work["deb"], output, wheel_folder(), now)
    return made


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m distribution", description="Make packages of gprov.")
    parser.add_argument("--output", type=Path, default=ROOT / "out/packages", metavar="FOLDER")
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="sdist|wheel|deb", help="default: all")
    given = parser.parse_args(words)
    for path in make(given.output, given.kinds or KINDS):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
