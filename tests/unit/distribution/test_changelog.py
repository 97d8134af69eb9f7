"""CHANGELOG.md belongs to the version, and becomes the changelog of the Debian packages."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.changelog import CHANGELOG, Release, debian_changelog, parse_changelog, version_problem
from gprov import __version__
from gprov.domain.errors import BadInput

ITEM = "\n\n- Something.\n"
RELEASED = f"# Changelog\n\n## 1.10.0 (2026-03-01){ITEM}\n## 1.9.2 (2026-02-28)\n\n- A list\n  of two lines.\n- More.\n"


def test_the_newest_heading_is_that_of_the_version() -> None:
    assert version_problem(parse_changelog(CHANGELOG.read_text())[0], __version__) is None


def test_releases_in_their_order() -> None:
    assert parse_changelog(RELEASED) == (
        Release((1, 10, 0), date(2026, 3, 1), (("- Something.",),)),
        Release((1, 9, 2), date(2026, 2, 28), (("- A list", "  of two lines."), ("- More.",))),
    )


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("# Changelog\n", "", "has no release"),
        (f"# News\n\n## 1.0.0 (unreleased){ITEM}", "title", "must be '# Changelog'"),
        (f"# Changelog\n\nSoon.\n\n## 1.0.0 (unreleased){ITEM}", "title", "must be '# Changelog'"),
        (f"# Changelog\n\n## 1.0 (unreleased){ITEM}", "## 1.0 (unreleased)", "must be '## N.N.N (unreleased)'"),
        (f"# Changelog\n\n## 1.0.0{ITEM}", "## 1.0.0", "must be '## N.N.N (unreleased)'"),
        (f"# Changelog\n\n## 1.0.0 (2026-02-30){ITEM}", "## 1.0.0 (2026-02-30)", "day is out of range"),
        ("# Changelog\n\n## 1.0.0 (unreleased)\n", "## 1.0.0 (unreleased)", "must be followed by a list"),
        ("# Changelog\n\n## 1.0.0 (unreleased)\n\nText.\n", "## 1.0.0 (unreleased)", "must be followed by a list"),
        (f"# Changelog\n\n## 1.9.0 (2026-02-01){ITEM}\n## 1.10.0 (2026-01-01){ITEM}", "1.10.0", "is not older"),
        (f"# Changelog\n\n## 1.0.0 (2026-02-01){ITEM}\n## 1.0.0 (2026-01-01){ITEM}", "1.0.0", "is not older"),
        (f"# Changelog\n\n## 1.1.0 (2026-02-01){ITEM}\n## 1.0.0 (unreleased){ITEM}", "1.0.0", "is unreleased"),
        (f"# Changelog\n\n## 1.1.0 (2026-02-01){ITEM}\n## 1.0.0 (2026-02-02){ITEM}", "1.0.0", "after 1.1.0"),
    ],
)
def test_what_is_wrong_is_said(text: str, place: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_changelog(text)
    found = {problem.place: problem.message for problem in caught.value.problems}
    assert message in found[place]


def test_every_problem_is_said() -> None:
    with pytest.raises(BadInput) as caught:
        parse_changelog(f"# News\n\n## 1.0 (unreleased){ITEM}\n## 1.0.0 (2026-02-30){ITEM}")
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("day", "version", "fits"),
    [
        (None, "1.2.3.dev0", True),
        (None, "1.2.3.dev12", True),
        (None, "1.2.3", False),
        (None, "1.2.4.dev0", False),
        (None, "1.2.3.dev", False),
        (None, "11.2.3.dev0", False),
        (date(2026, 1, 1), "1.2.3", True),
        (date(2026, 1, 1), "1.2.3.dev0", False),
        (date(2026, 1, 1), "1.2.4", False),
        (date(2026, 1, 1), "1x2.3", False),
    ],
)
def test_which_version_a_heading_is_of(day: date | None, version: str, fits: bool) -> None:
    assert (version_problem(Release((1, 2, 3), day, ()), version) is None) == fits


def test_the_changelog_of_debian() -> None:
    text = f"# Changelog\n\n## 2.0.0 (unreleased){ITEM}{RELEASED.removeprefix('# Changelog')}"
    assert debian_changelog(parse_changelog(text), "2.0.0.dev3", 1_767_225_600) == (
        "gprov (2.0.0~dev3) unstable; urgency=medium\n"
        "\n"
        "  * Something.\n"
        "\n"
        " -- gprov <gprov@localhost>  Thu, 01 Jan 2026 00:00:00 +0000\n"
        "\n"
        "gprov (1.10.0) unstable; urgency=medium\n"
        "\n"
        "  * Something.\n"
        "\n"
        " -- gprov <gprov@localhost>  Sun, 01 Mar 2026 12:00:00 +0000\n"
        "\n"
        "gprov (1.9.2) unstable; urgency=medium\n"
        "\n"
        "  * A list of two lines.\n"
        "  * More.\n"
        "\n"
        " -- gprov <gprov@localhost>  Sat, 28 Feb 2026 12:00:00 +0000\n"
    )


def test_lines_of_debian_s_changelog_are_short() -> None:
    words = "word " * 40
    text = debian_changelog([Release((1, 0, 0), date(2026, 1, 1), ((f"- {words}", f"  {words}"),))], "1.0.0", 0)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("word") == 80
    assert text.count("  * ") == 1


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    problems: object = None
    releases: tuple[Release, ...] = ()
    try:
        releases = parse_changelog(f"# Changelog\n\n{text}")
    except BadInput as error:
        problems = error.problems
    assert bool(problems) != bool(releases)
    assert all(release.items for release in releases)
