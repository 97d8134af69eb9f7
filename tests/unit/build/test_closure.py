from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.closure import modules_of
from gprov.domain.errors import BadInput


@pytest.fixture
def project(tmp_path: Path) -> tuple[str, ...]:
    files = {
        "own/__init__.py": "",
        "own/main.py": "from own import direct\ndef f():\n    import own.late\nADAPTER = 'own.named:Class'\n",
        "own/direct.py": "try:\n    import optional\nexcept ImportError:\n    pass\n",
        "own/late.py": "import other\n",
        "own/named.py": "NEXT = lambda: 'own.second:thing'\n",
        "own/second.py": "",
        "own/unused.py": "import json\n",
        "own/__main__.py": "",
        "other/__init__.py": "TEXT = 'own.unused:x'\nfrom . import inner\n",
        "other/inner.py": "",
        "optional.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return (str(tmp_path), *sys.path)


def names(project: tuple[str, ...], packages: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> set[str]:
    return {module.name for module in modules_of(["own.main"], packages, project, exclude=exclude)}


def test_follows_imports_wherever_they_stand(project: tuple[str, ...]) -> None:
    expected = {"own", "own.main", "own.direct", "own.late", "other", "other.inner", "optional"}
    assert names(project) == expected


def test_a_package_is_taken_whole(project: tuple[str, ...]) -> None:
    found = names(project, ("own",))
    assert {"own.second", "own.unused", "json"} <= found
    assert "own.__main__" not in found


def test_excluded_module_is_as_if_not_installed(project: tuple[str, ...]) -> None:
    assert "optional" not in names(project, exclude=("optional",))


def test_everything_that_is_missing(project: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        modules_of(["own.main", "own.gone"], ["nothing"], project)
    assert {problem.place for problem in caught.value.problems} == {"own.gone", "nothing"}


def test_targets_are_flat_and_sourceless(project: tuple[str, ...]) -> None:
    targets = {module.name: module.target for module in modules_of(["own.main"], [], project)}
    assert targets["own"] == "own/__init__.pyc"
    assert targets["own.main"] == "own/main.pyc"


def test_source_beside_an_extension(tmp_path: Path) -> None:
    (tmp_path / "fast").mkdir()
    (tmp_path / "fast/__init__.py").write_text("")
    (tmp_path / "fast/core.py").write_text("import helper\n")
    (tmp_path / "fast/core.so").write_bytes(b"")
    (tmp_path / "helper.py").write_text("")
    path = (str(tmp_path),)
    compiled = {module.name: module for module in modules_of(["fast.core"], [], path)}
    assert compiled["fast.core"].target == "fast/core.so"
    chosen = {module.name: module for module in modules_of(["fast.core"], [], path, prefer_source=["fast"])}
    assert chosen["fast.core"].target == "fast/core.pyc"
    assert "helper" in chosen
