"""The source archive, and the wheel that is built of it.

Both hold what git tracks: a copy of those files is archived, so that nothing else of a checkout gets in. In an unpacked
source archive, which has no git, they are the files that the archive names. The same files and date give the same
bytes.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Written into source archives by setuptools: all their files, one on a line.
LISTING = "gprov.egg-info/SOURCES.txt"
_GENERATED = ("PKG-INFO", "setup.cfg", "gprov.egg-info/")
_HOOK = "import sys; from setuptools import build_meta; print(build_meta.{hook}(sys.argv[1]))"


def tracked(root: Path) -> list[str]:
    """Paths relative to the root. Files that are deleted and still tracked are left out."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
        names = listed.split("\0")
    else:
        names = (root / LISTING).read_text().splitlines()
    return sorted(name for name in names if name and (root / name).is_file() and not name.startswith(_GENERATED))


def copy_tracked(root: Path, target: Path) -> None:
    for name in tracked(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name)


def source_date(root: Path) -> int:
    """In seconds of Unix time: SOURCE_DATE_EPOCH, else of the last commit, else of the changelog."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return int(given)
    if (root / ".git").exists():
        log = ["git", "log", "-1", "--format=%ct"]
        return int(subprocess.run(log, cwd=root, check=True, capture_output=True, text=True).stdout)
    return int((root / "CHANGELOG.md").stat().st_mtime)


def build_source_archive(root: Path, work: Path, output: Path) -> Path:
    """``work``: an empty folder. Return the path of ``gprov-VERSION.tar.gz``."""
    copy_tracked(root, work)
    made = output / _call("build_sdist", work, output, source_date(root))
    _normalise(made, source_date(root))
    return made


def unpack(archive: Path, work: Path) -> Path:
    """``work``: an empty folder. Return the folder of the sources in it."""
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(work)], check=True)
    (folder,) = work.iterdir()
    return folder


def build_wheel(sources: Path, output: Path, now: int) -> Path:
    return output / _call("build_wheel", sources, output, now)


def _call(hook: str, folder: Path, output: Path, now: int) -> str:
    """Run the build backend as a front end does, but with the packages of this environment. Returns the file's name."""
    output.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _HOOK.format(hook=hook), str(output.absolute())]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(now), "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{hook} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()[-1]


def _normalise(archive: Path, now: int) -> None:
    """Dates, owners and order do not depend on the checkout."""
    inner = io.BytesIO()
    with (
        tarfile.open(archive) as before,
        tarfile.open(fileobj=inner, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda each: each.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = now, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            after.addfile(member, before.extractfile(member) if member.isreg() else None)
    archive.write_bytes(gzip.compress(inner.getvalue(), mtime=now))
