"""Mutation testing: every mutant is a different program, and the classic mutants are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutants.__main__ import NEAREST, ROOT, sample
from mutants.collector import Mutant
from mutants.sites import is_another_program, mutants_of

SOURCE = '''\
def plan(disks: list[str], wipe: bool = True) -> list[str]:
    """Text."""
    operations = [f"clear/{disk}" for disk in disks if wipe]
    operations.append("flag")
    if len(disks) > 1 and not wipe:
        raise ValueError("words for people")
    return ["first", *operations, "last"]
'''


def becomes(source: str) -> set[str]:
    return {mutant.applied(source.encode()).decode() for mutant in mutants_of(source.encode())}


def mutant_of(text: str) -> Mutant:
    return Mutant(1, "x", 0, 5, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("wipe: bool = True", "wipe: bool = False"),
        ('f"clear/{disk}"', '""'),
        ("for disk in disks if wipe]", "for disk in disks if False]"),
        ("for disk in disks if wipe]", "for disk in disks if (not (wipe))]"),
        ('operations.append("flag")', "pass"),
        ("len(disks) > 1 and not wipe", "(len(disks) > 1 or not wipe)"),
        ("len(disks) > 1 and not wipe", "(not wipe)"),
        ("len(disks) > 1", "(len(disks) >= 1)"),
        ("> 1 ", "> 2 "),
        ("not wipe", "(wipe)"),
        ('raise ValueError("words for people")', "pass"),
        ('["first", *operations, "last"]', "[]"),
        ('["first", *operations, "last"]', '[*operations, "first", "last"]'),
        ('["first", *operations, "last"]', '["first", *operations]'),
        ('["first", *operations, "last"]', '[*operations, "last"]'),
    ],
)
def test_classic_mutants_are_found(old: str, new: str) -> None:
    assert SOURCE.replace(old, new) in becomes(SOURCE)


def test_texts_annotations_and_docstrings_stay() -> None:
    for mutated in becomes(SOURCE):
        assert '"""Text."""' in mutated
        assert "words for people" in mutated or "raise" not in mutated
        assert "disks: list[str]" in mutated


def test_order_matters_only_where_it_can() -> None:
    assert not becomes("Plan = tuple[str, ...]")
    assert 'x = (f(), "a", "b")' in becomes('x = ("a", f(), "b")')
    assert 'x = y in ("b", "a")' not in becomes('x = y in ("a", "b")')
    assert 'x = {"b", "a"}' not in becomes('x = {"a", "b"}')
    assert "f(b, a)" in becomes("f(a, b)")
    assert not any("(b, a)" in text for text in becomes("try:\n    f()\nexcept (a, b):\n    g()\n"))
    assert "f(a)" in becomes("f(a, b=1)")


def test_nearly_every_mutant_is_python_and_another_program() -> None:
    source = (ROOT / "domain/plan/kernels.py").read_bytes()
    found = mutants_of(source)
    assert len([one for one in found if is_another_program(source, one)]) > len(found) * 0.9
    assert not is_another_program(b"x = 1", mutant_of("x=1"))
    assert not is_another_program(b"x = 1", mutant_of("x ="))
    assert is_another_program(b"x = 1", mutant_of("x = 2"))


def test_nearest_tests_exist() -> None:
    assert all((ROOT / name).exists() for name in NEAREST)
    for names in NEAREST.values():
        assert all((Path("tests/unit") / name).exists() for name in names)


def test_a_sample_is_even_over_the_files_and_the_same_for_the_same_seed() -> None:
    every = {
        name: [Mutant(1, "x", 0, 1, name * (2 + line)) for line in range(count)]
        for name, count in zip("abc", (9, 2, 5), strict=True)
    }
    sources = dict.fromkeys(every, b"a0 = b0 = c0 = d0 = e0")
    sites = sample(every, sources, 9, seed=3)
    assert sites == sample(every, sources, 9, seed=3) != sample(every, sources, 9, seed=4)
    assert len(set(sites)) == 9
    assert [sum(site.path == name for site in sites) for name in "abc"] in ([4, 2, 3], [3, 2, 4])
    assert len(sample(every, sources, 0, seed=3)) == 16
