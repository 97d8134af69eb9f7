"""Puts the pages of the site together: ``docs/``, generated pages, and the documents of other folders that it links to.

``make docs`` calls it, and then MkDocs, which reads mkdocs.yml. Nothing here needs MkDocs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from tools.reference.pages import BUILT_FILES, BUILT_PAGES
from tools.site.dialect import converted
from tools.site.links import linked_files, moved

ROOT = Path(__file__).parents[2]
_DOCS = "docs"
# Documents of other folders, by their place on the site.
OTHERS: Mapping[str, str] = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "buildroot/README.md": "project/buildroot.md",
    "examples/adopter/README.md": "project/adopter.md",
}
STYLE = "assets/site.css"
# Where other linked files of the repository are.
_FILES = "project/files"


def documents() -> dict[str, str]:
    """Pages that are written by hand or committed: place on the site, by path in the repository."""
    own = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / _DOCS).rglob("*.md"))
    return {**{path: path.removeprefix(f"{_DOCS}/") for path in own}, **OTHERS}


def pages() -> Iterator[tuple[str, str]]:
    """Place and text of every page, in the dialect of the site."""
    places = documents()
    for source, target in places.items():
        text = (ROOT / source).read_text()
        yield target, converted(moved(text, source, target, _place))
    for target, make in BUILT_PAGES.items():
        assert target not in places.values(), target
        yield target, converted(make())


def attached() -> dict[str, str]:
    """Files that are no pages: place on the site, by path in the repository."""
    folder = ROOT / _DOCS
    own = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"]
    found = {path.relative_to(ROOT).as_posix(): path.relative_to(folder).as_posix() for path in sorted(own)}
    for source in documents():
        for linked in linked_files((ROOT / source).read_text(), source):
            if (ROOT / linked).is_file() and not linked.endswith(".md") and not linked.startswith(f"{_DOCS}/"):
                found[linked] = _place(linked)
    return found


def assemble(target: Path) -> None:
    """Make the folder anew."""
    shutil.rmtree(target, ignore_errors=True)
    for place, text in pages():
        _write(target / place, text.encode())
    for source, place in attached().items():
        _write(target / place, (ROOT / source).read_bytes())
    for place, content in BUILT_FILES.items():
        _write(target / place, content())
    _write(target / STYLE, (Path(__file__).parent / "site.css").read_bytes())


def _place(linked: str) -> str:
    """Place on the site of a file or folder of the repository."""
    if linked.startswith(f"{_DOCS}/"):
        return linked.removeprefix(f"{_DOCS}/")
    as_document = linked if linked.endswith(".md") else (PurePosixPath(linked) / "README.md").as_posix()
    return OTHERS.get(as_document, f"{_FILES}/{linked}")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
