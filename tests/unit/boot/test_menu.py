"""The boot menu."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.args import PreferredImage
from gprov.domain.boot.boot_menu import (
    Choose,
    Choosing,
    Confirm,
    Confirming,
    MenuState,
    Outcome,
    PowerOff,
    ResumeBoot,
    after_choice,
    after_confirmation,
    prompt,
)
from gprov.domain.boot.decisions import Erase, Restore, RestoreReason
from gprov.domain.display.choice import NoChoice

Answer = int | bool | NoChoice | None


def step(state: Choosing | Confirming, answer: Answer) -> MenuState:
    """``answer``: an index, that the menu was left, or None (timeout) where it is shown; yes or no where something is
    asked."""
    if isinstance(state, Choosing):
        choice = NoChoice.TIMEOUT if answer is None else answer
        return after_choice(state, choice if isinstance(choice, NoChoice) else int(choice))
    return after_confirmation(state, answer is not NoChoice.LEFT and bool(answer))


def play(*answers: Answer) -> MenuState:
    state: MenuState = Choosing()
    for answer in answers:
        assert isinstance(state, Choosing | Confirming), f"over before {answer}"
        state = step(state, answer)
    return state


def restore(line: str, image: PreferredImage) -> Restore:
    return Restore(RestoreReason.REQUESTED_BY_PERSON, f"boot menu: {line}", image)


def test_the_lines_in_their_order() -> None:
    assert prompt(Choosing()) == Choose(
        "Boot menu",
        (
            "Resume normal boot",
            "Power off",
            "",
            "Factory Restore to latest image",
            "Factory Restore to original image",
            "Factory Restore (choose image)",
            "",
            "Data Erase",
        ),
        300,
    )


@pytest.mark.parametrize(
    ("index", "outcome"),
    [
        (0, ResumeBoot()),
        (1, PowerOff()),
        (3, restore("Factory Restore to latest image", PreferredImage.LATEST)),
        (4, restore("Factory Restore to original image", PreferredImage.OLDEST)),
        (5, restore("Factory Restore (choose image)", PreferredImage.MENU)),
    ],
)
def test_each_choice_is_confirmed_once(index: int, outcome: Outcome) -> None:
    asked = play(index)
    assert isinstance(asked, Confirming)
    listed = prompt(Choosing())
    assert isinstance(listed, Choose)
    assert prompt(asked) == Confirm(f"{listed.items[index]}?", 60)
    assert play(index, True) == outcome
    assert play(index, False) == Choosing(0, 1)


def test_erase_is_confirmed_twice_the_second_time_with_a_warning() -> None:
    second = play(7, True)
    assert isinstance(second, Confirming)
    question = prompt(second)
    assert isinstance(question, Confirm)
    assert "ALL data" in question.question
    assert play(7, True, True) == Erase(confirmed=True)
    assert isinstance(play(7, True, False), Choosing)
    assert isinstance(play(7, False), Choosing)


@pytest.mark.parametrize("index", [2, 6, 8, -1, 99])
def test_a_spacer_is_normal_boot(index: int) -> None:
    assert play(index) == ResumeBoot()


def test_no_choice_twice_is_normal_boot() -> None:
    assert isinstance(play(None), Choosing)
    assert play(None, None) == ResumeBoot()


def test_leaving_the_menu_is_normal_boot() -> None:
    assert play(NoChoice.LEFT) == ResumeBoot()
    assert play(1, False, NoChoice.LEFT) == ResumeBoot()


def test_silence_is_counted_from_the_last_choice() -> None:
    assert isinstance(play(None, 1, False, None), Choosing)
    assert play(None, 1, False, None, None) == ResumeBoot()


def test_choices_that_are_never_confirmed_come_to_an_end() -> None:
    assert isinstance(play(*[1, False] * 19), Choosing)
    assert play(*[1, False] * 20) == ResumeBoot()


answers = st.one_of(st.none(), st.just(NoChoice.LEFT), st.booleans(), st.integers(-2, 10))


@given(st.lists(answers, min_size=100, max_size=100))
def test_it_ends_whatever_is_answered(given_answers: list[Answer]) -> None:
    state: MenuState = Choosing()
    for answer in given_answers:
        if not isinstance(state, Choosing | Confirming):
            return
        assert prompt(state).seconds > 0
        state = step(state, answer)
    pytest.fail("still asking")


@given(st.lists(answers, max_size=30))
def test_nothing_is_erased_without_two_confirmations(given_answers: list[Answer]) -> None:
    state: MenuState = Choosing()
    said: list[Answer] = []
    for answer in given_answers:
        if not isinstance(state, Choosing | Confirming):
            break
        confirmed = answer is not NoChoice.LEFT and bool(answer)
        said.append(confirmed if isinstance(state, Confirming) else answer)
        state = step(state, answer)
    if state == Erase():
        assert said[-3:] == [7, True, True]
    if isinstance(state, Restore | PowerOff):
        assert said[-1] is True
