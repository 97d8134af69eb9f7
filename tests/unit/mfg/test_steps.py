from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.errors import InternalError
from gprov.domain.mfg.command import parse_command, parse_template
from gprov.domain.mfg.steps import Command, ExitStatus, StepValues, environment, expand, redact_text, redacted
from gprov.domain.unit.credentials import Credentials, EarlierPassword, Secret

CREDENTIALS = Credentials(
    Secret("os 'pw\""), Secret("bios"), Secret("bios-and-more"), (EarlierPassword(Secret("before")),)
)
VALUES = StepValues("/tmp/dl dir", "GP 1", "/mnt/RECOVERY", CREDENTIALS)


def command(text: str, path: str = "", libraries: str = "") -> Command:
    words = [word for part in (path, libraries) for word in (parse_template(part).words or (parse_template("").words))]
    parsed = iter(words)
    add_path = next(parsed) if path else None
    add_lib = next(parsed) if libraries else None
    made = Command(text=text, words=parse_command(text).words)
    return Command(
        text=text,
        words=made.words,
        exit_status=ExitStatus.MUST_SUCCEED,
        add_path=add_path or made.add_path,
        add_lib_path=add_lib or made.add_lib_path,
    )


def test_values_stay_inside_their_argument() -> None:
    argv = expand(
        command("{{.DLDir}}/run '{{.Serial}}' {{.OSPass}}x {{ .RecoveryDir }} {{.BiosPass}} {{.IpmiPass}}"), VALUES
    )
    assert argv == ("/tmp/dl dir/run", "GP 1", "os 'pw\"x", "/mnt/RECOVERY", "bios", "bios-and-more")


@settings(max_examples=100)
@given(st.text(st.characters(exclude_characters="\0"), max_size=20))
def test_a_serial_number_can_neither_add_nor_split_arguments(serial: str) -> None:
    assert expand(command("echo {{.Serial}} end"), StepValues("/d", serial)) == ("echo", serial, "end")


@pytest.mark.parametrize("text", ["x {{.RecoveryDir}}", "x {{.OSPass}}", "x {{.BiosPass}}", "x {{.IpmiPass}}"])
def test_a_value_that_is_not_known_is_never_left_out(text: str) -> None:
    with pytest.raises(InternalError):
        expand(command(text), StepValues("/d", "s"))


def test_a_value_that_no_argument_can_hold() -> None:
    with pytest.raises(InternalError):
        expand(command("x {{.Serial}}"), StepValues("/d", "a\0b"))


def test_environment_is_added_to() -> None:
    assert environment(command("x", "{{.DLDir}}/bin:/y", "/lib {{.Serial}}"), VALUES, "/bin") == {
        "PATH": "/tmp/dl dir/bin:/y:/bin",
        "LD_LIBRARY_PATH": "/lib GP 1",
    }
    assert environment(command("x"), VALUES, "/bin") == {}


def test_passwords_do_not_show() -> None:
    argv = expand(command("set {{.OSPass}} a{{.BiosPass}} {{.IpmiPass}} {{.Serial}}"), VALUES)
    assert redacted(argv, VALUES) == ("set", "***", "a***", "***", "GP 1")
    assert redact_text("said bios-and-more, bios, done", VALUES) == "said ***, ***, done"
    assert "bios" not in repr(VALUES)
    assert redacted(argv, StepValues("/d", "s")) == argv


def test_an_empty_password_redacts_nothing() -> None:
    empty = StepValues("/d", "s", None, Credentials(Secret(""), Secret(""), Secret("")))
    assert redact_text("plain", empty) == "plain"


@pytest.mark.parametrize(
    ("wanted", "zero", "other"),
    [(ExitStatus.MUST_SUCCEED, True, False), (ExitStatus.DONT_CARE, True, True), (ExitStatus.MUST_FAIL, False, True)],
)
def test_exit_status(wanted: ExitStatus, zero: bool, other: bool) -> None:
    assert (wanted.accepts(0), wanted.accepts(1), wanted.accepts(-9)) == (zero, other, other)
