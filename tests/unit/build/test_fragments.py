"""Fragments of the kernel configuration: what they may set, and what is said if they may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.apps.host.initramfs.fragments import Fragment, combine
from gprov.apps.host.initramfs.kconfig import Setting, parse_fragment
from gprov.apps.host.initramfs.kernel_settings import (
    KernelChoice,
    check_budget,
    configuration,
    parse_settings,
    shipped_choice,
    shipped_fragments,
)
from gprov.domain.errors import BadInput, DeviceMissing, RefusedByPolicy

SHIPPED = Path(__file__).parents[3] / "buildroot/kernel"
BASE = parse_fragment("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=250\n", "base")
MODULES = Fragment("modules", parse_fragment("CONFIG_MODULES=y\nCONFIG_JIT=y\n", "modules"))


def fragment(name: str, text: str) -> Fragment:
    return Fragment(name, parse_fragment(text, name))


def refused(*fragments: Fragment, modules: Fragment | None = None) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        combine(BASE, fragments, modules)
    return caught.value.details()


def test_a_fragment_adds_and_replaces() -> None:
    combined = combine(BASE, [fragment("own", "CONFIG_C=y\nCONFIG_N=500\n# CONFIG_A is not set\n")], None)
    values = {symbol: setting.value for symbol, setting in combined.settings.items()}
    assert values == {"CONFIG_A": "n", "CONFIG_B": "n", "CONFIG_C": "y", "CONFIG_N": "500"}
    assert combined.replaced == (
        "CONFIG_A: n (own:3) instead of y (base:1)",
        "CONFIG_N: 500 (own:2) instead of 250 (base:3)",
    )


def test_fragments_that_contradict_each_other() -> None:
    first, second = fragment("one", "CONFIG_C=y\nCONFIG_D=y\n"), fragment("two", "CONFIG_D=y\n\nCONFIG_C=7\n")
    assert refused(first, second) == ("two:3: CONFIG_C=7 contradicts one:1, which sets y",)


def test_a_fragment_that_contradicts_the_modules() -> None:
    said = ("modules:2: CONFIG_JIT=y contradicts own:1, which sets n",)
    assert refused(fragment("own", "# CONFIG_JIT is not set\n"), modules=MODULES) == said


def test_modules_are_refused_without_modules() -> None:
    said = ("own:1: CONFIG_C=m is a module; build with --modules, or set it to y",)
    assert refused(fragment("own", "CONFIG_C=m\n")) == said
    combined = combine(BASE, [fragment("own", "CONFIG_C=m\nCONFIG_B=m\n")], MODULES)
    assert combined.settings["CONFIG_C"].value == combined.settings["CONFIG_B"].value == "m"


def test_what_init_needs_stays_built_in() -> None:
    said = ("own:1: CONFIG_A=m must stay built in (base:1): /init needs it, and loads no modules",)
    assert refused(fragment("own", "CONFIG_A=m\n"), modules=MODULES) == said


def test_symbols_of_the_build_are_refused() -> None:
    own = fragment("own", 'CONFIG_MODULES=y\nCONFIG_INITRAMFS_SOURCE="mine"\nCONFIG_LOCALVERSION=""\n')
    assert refused(own) == (
        "own:1: CONFIG_MODULES=y is set by --modules",
        'own:2: CONFIG_INITRAMFS_SOURCE="mine" is set by the build; a fragment cannot change it',
        'own:3: CONFIG_LOCALVERSION="" is set by the build; a fragment cannot change it',
    )


SETTINGS = st.dictionaries(st.sampled_from(["CONFIG_A", "CONFIG_B", "CONFIG_C"]), st.sampled_from(["y", "m", "n", "7"]))


@given(st.lists(SETTINGS, max_size=3), st.booleans())
def test_combined_settings_are_those_of_every_fragment(values: list[dict[str, str]], with_modules: bool) -> None:
    """Whatever the order: a setting counts, or the build is refused."""
    fragments = [
        Fragment(str(index), {symbol: Setting(value, f"{index}:1") for symbol, value in each.items()})
        for index, each in enumerate(values)
    ]
    modules = MODULES if with_modules else None
    try:
        combined = combine(BASE, fragments, modules)
    except BadInput:
        contradiction = any(
            one[symbol] != other[symbol] for one in values for other in values for symbol in one.keys() & other.keys()
        )
        module = any("m" in each.values() for each in values)
        assert contradiction or module
        with pytest.raises(BadInput):
            combine(BASE, fragments[::-1], modules)
        return
    for each in values:
        assert each.items() <= {symbol: setting.value for symbol, setting in combined.settings.items()}.items()
    assert combine(BASE, fragments[::-1], modules).settings.keys() == combined.settings.keys()


def choice(text: str) -> KernelChoice:
    return KernelChoice(parse_settings(text, "kernel.toml"), str(SHIPPED / "x86_64.config"), str(SHIPPED))


def test_shipped_settings_and_fragments_fit_together() -> None:
    """All of them at once: no contradiction, and each has its share of the budget."""
    shipped = shipped_choice(str(SHIPPED))
    names = shipped_fragments(str(SHIPPED))
    assert names == ["fleet", "optional", "secure-boot", "server"]
    everything = shipped.settings.with_options(names, True, [], None)
    assert {"base", "modules", *names} == shipped.settings.budget.keys()
    combined = configuration(KernelChoice(everything, shipped.base, shipped.folder))
    assert combined.settings["CONFIG_MODULES"].value == "y"
    assert everything.largest == round(sum(shipped.settings.budget.values()) * 1e6)


@pytest.mark.parametrize("name", ["server", "fleet"])
def test_shipped_fragments_that_need_no_modules(name: str) -> None:
    chosen = choice(f"fragments = ['{name}']\nbudget.base = 1")
    assert configuration(chosen).settings["CONFIG_MODULES"].value == "n"


def test_an_unknown_fragment() -> None:
    with pytest.raises(
        DeviceMissing, match="no such fragment; fragments in this folder: fleet, optional, secure-boot, server; a path"
    ):
        configuration(choice("fragments = ['sever']\nbudget.base = 1"))


def test_a_fragment_of_ones_own_is_named_with_its_path(tmp_path: Path) -> None:
    own = tmp_path / "own.config"
    own.write_text("CONFIG_X=m\n")
    with pytest.raises(BadInput) as caught:
        configuration(choice(f"fragments = ['{own}']\nbudget.base = 1"))
    assert str(caught.value).startswith(f"kernel fragments: {own}:1: CONFIG_X=m is a module")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("x", ["Expected '=' after a key in a key/value pair (at end of document)"]),
        ("other = 1\nbudget.base = 1", ["other: unknown key"]),
        ("fragments = 'server'\nbudget.base = 1", ["fragments: must be a list of names or paths"]),
        ("firmware = ['']\nbudget.base = 1", ["firmware: must be a list of names or paths"]),
        ("modules = 'yes'", ["modules: must be true or false", "budget.base: is missing"]),
        ("budget = 1", ["budget: must be a table of numbers"]),
        (
            "budget.base = true\nbudget.x = -1",
            ["budget.base: must be a number of MB", "budget.x: must be a number of MB"],
        ),
        ("budget.base = inf", ["budget.base: must be a number of MB"]),
    ],
)
def test_wrong_settings(text: str, problems: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_settings(text, "kernel.toml")
    assert [str(problem) for problem in caught.value.problems] == problems


WORDS = st.text(alphabet="ab/.", max_size=3)
VALUES = st.one_of(st.booleans(), st.integers(), WORDS, st.lists(WORDS, max_size=2))


@given(st.dictionaries(st.sampled_from(["fragments", "modules", "firmware", "budget", "other"]), VALUES))
def test_settings_are_kept_or_named_as_problems(document: dict[str, object]) -> None:
    """JSON's values are written alike in TOML."""
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in document.items())
    with pytest.raises(BadInput) as caught:  # the budget has no number for the base
        parse_settings(text, "x")
    named = {problem.place for problem in caught.value.problems}
    assert ("other" in named) == ("other" in document)
    assert ("modules" in named) == (not isinstance(document.get("modules", True), bool))
    for key in ("fragments", "firmware"):
        value = document.get(key, [])
        assert (key in named) == (not (isinstance(value, list) and all(isinstance(one, str) and one for one in value)))


def test_the_budget_is_the_sum_of_what_is_in_the_kernel() -> None:
    text = "fragments = ['server', './own.config']\n[budget]\nbase = 9\nserver = 3.5\nmodules = 0.5\nfleet = 3"
    settings = parse_settings(text, "x")
    assert settings.largest == 12_500_000
    assert settings.with_options([], True, [], None).largest == 13_000_000
    assert settings.with_options(["fleet"], None, [], None).largest == 15_500_000
    assert settings.with_options(["fleet"], True, [], 20.0).largest == 20_000_000


def test_a_kernel_above_its_budget_is_refused() -> None:
    check_budget(9_500_000, 9_500_000)
    with pytest.raises(RefusedByPolicy) as caught:
        check_budget(9_510_000, 9_500_000)
    assert str(caught.value) == (
        "the kernel without its initramfs has 9.51 MB, its budget is 9.50 MB: leave out what no unit needs, or raise "
        "the budget (kernel.toml, --budget)"
    )
