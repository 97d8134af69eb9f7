"""The table of techniques."""

from __future__ import annotations

from gprov.domain.erase.techniques import TECHNIQUES, Level, Technique


def test_every_technique_has_a_row_with_a_basis() -> None:
    assert set(TECHNIQUES) == set(Technique)
    assert all(facts.basis and facts.name for facts in TECHNIQUES.values())


def test_no_row_claims_conformity() -> None:
    for facts in TECHNIQUES.values():
        assert "conformant" not in facts.basis.lower()
        assert "ieee" not in facts.basis.lower()


def test_only_classified_rows_cite_a_standard() -> None:
    for facts in TECHNIQUES.values():
        assert (facts.level is Level.NOT_CLASSIFIED) == ("NIST" not in facts.basis)
