"""What an installed gprov needs, by the lock file's comments, is what the packages themselves say."""

from __future__ import annotations

import tomllib
from importlib.metadata import requires

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from distribution.lock import (
    LOCK,
    PROJECT,
    RUNTIME_EXTRAS,
    Pinned,
    build_names,
    chosen_lock,
    closure,
    lock_of,
    normal,
    parse_lock,
    runtime_names,
)

TEXT = """\
--find-links /somewhere

alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via gprov (pyproject.toml)
beta-gamma[extra]==2.0 ; python_version < '4' \\
    --hash=sha256:cc
    # via
    #   gprov (pyproject.toml)
    #   alpha
Delta==3 \\
    --hash=sha256:dd
    # via beta-gamma
epsilon==4 \\
    --hash=sha256:ee
    # via other

# The following packages are considered to be unsafe in a requirements file:
other==5 \\
    --hash=sha256:ff
"""


def required(names: set[tuple[str, str]]) -> set[str]:
    """Names of the packages, and of all that they require, as their installed metadata says. ``names``: with extra."""
    found: set[tuple[str, str]] = set()
    waiting = set(names)
    while waiting:
        name, extra = waiting.pop()
        found.add((name, extra))
        for text in requires(name) or ():
            each = Requirement(text)
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                inner = {(normal(each.name), wanted) for wanted in ("", *each.extras)}
                waiting |= inner - found
    return {name for name, _ in found}


def test_the_runtime_packages_are_those_that_packages_require() -> None:
    project = tomllib.loads(PROJECT.read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in RUNTIME_EXTRAS)]
    roots = [Requirement(text) for part in lists for text in part]
    wanted = {(normal(each.name), extra) for each in roots for extra in ("", *each.extras)}
    assert {package.name for package in parse_lock(chosen_lock("runtime"))} == required(wanted)


def test_nothing_for_development_is_among_them() -> None:
    names = {package.name for package in parse_lock(chosen_lock("runtime"))}
    assert names & {"mypy", "pytest", "hypothesis", "ruff", "playwright", "pyinstaller", "setuptools"} == set()
    assert {"fastapi", "typer", "pyparted", "textual", "h11"} <= names


def test_the_builder_has_setuptools_and_what_it_needs() -> None:
    names = {package.name for package in parse_lock(chosen_lock("build"))}
    assert names == required({("setuptools", ""), ("wheel", "")})


def test_a_chosen_package_has_all_its_hashes() -> None:
    whole = {package.name: package.lines for package in parse_lock(LOCK.read_text())}
    for package in parse_lock(chosen_lock("runtime")):
        assert package.lines == whole[package.name]
        assert len(package.lines) > 1
        assert all(line.endswith(" \\") for line in package.lines[:-1])
        assert not package.lines[-1].endswith("\\")


def test_what_a_lock_file_says() -> None:
    assert [(package.name, package.required_by) for package in parse_lock(TEXT)] == [
        ("alpha", frozenset()),
        ("beta-gamma", {"alpha"}),
        ("delta", {"beta-gamma"}),
        ("epsilon", {"other"}),
        ("other", frozenset()),
    ]
    assert lock_of(closure(parse_lock(TEXT), ["Delta"])) == "Delta==3 \\\n    --hash=sha256:dd\n"
    assert [package.name for package in closure(parse_lock(TEXT), ["alpha"])] == ["alpha", "beta-gamma", "delta"]


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2 of the lock file is not understood: 'beta>=1'"):
        parse_lock("alpha==1\nbeta>=1\n")
    with pytest.raises(LookupError, match="the lock file lacks nothing"):
        closure(parse_lock(TEXT), ["alpha", "nothing"])


def test_names_of_a_project() -> None:
    extras = {"device": ["B.c[x]>=1 ; python_version>'3'"], "server": ["d"], "tools": [], "dev": ["e"]}
    project = {"project": {"dependencies": ["a>=2"], "optional-dependencies": extras}}
    assert runtime_names(project) == ("a", "B.c", "d")
    assert build_names({"build-system": {"requires": ["setuptools>=68"]}}) == ("setuptools", "wheel")


NAMES = st.sampled_from("abcdefgh")
PACKAGES = st.dictionaries(NAMES, st.frozensets(NAMES), min_size=1)


@given(PACKAGES, st.data())
def test_a_closure_holds_what_its_packages_require_and_no_more(
    required_by: dict[str, frozenset[str]], data: st.DataObject
) -> None:
    packages = [Pinned(name, (f"{name}==1",), parents) for name, parents in required_by.items()]
    wanted = data.draw(st.frozensets(st.sampled_from(sorted(required_by))))
    chosen = {package.name for package in closure(packages, wanted)}
    assert wanted <= chosen
    for package in packages:
        assert (package.name in chosen) == (package.name in wanted or bool(package.required_by & chosen))
    # The least such set: what is not wanted is reached from what is.
    reached = set(wanted)
    for _ in packages:
        reached |= {package.name for package in packages if package.required_by & reached}
    assert chosen == reached


@given(PACKAGES)
def test_a_lock_file_reads_as_it_was_written(required_by: dict[str, frozenset[str]]) -> None:
    text = ""
    for name, parents in required_by.items():
        text += f"{name}==1 \\\n    --hash=sha256:00\n"
        if len(parents) == 1:
            text += "".join(f"    # via {parent}\n" for parent in parents)
        elif parents:
            text += "    # via\n" + "".join(f"    #   {parent}\n" for parent in sorted(parents))
    read = parse_lock(text)
    assert {package.name: package.required_by for package in read} == required_by
    assert parse_lock(lock_of(read)) == tuple(Pinned(each.name, each.lines, frozenset()) for each in read)
