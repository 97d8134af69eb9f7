from __future__ import annotations

import copy

import pytest

from gprov.domain import errors
from gprov.domain.errors import (
    BadInput,
    BurnInAborted,
    BurnInFailed,
    CommandRefused,
    ContentRefused,
    DeadlineExceeded,
    DeviceFault,
    DeviceMissing,
    EraseFailed,
    EraseUnfinished,
    ExitCode,
    GprovError,
    HardwareMismatch,
    HttpRefusal,
    ImageRefused,
    IntegrityFault,
    InternalError,
    NetworkFault,
    Problem,
    RefusedByPolicy,
    ToolFailed,
    ToolLocked,
    ToolMissing,
)
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.unit.credentials import Credentials, Secret

PROBLEMS = (Problem("$.a", "is bad"), Problem("", "is worse"))
EXAMPLES: dict[type[GprovError], tuple[GprovError, str, tuple[str, ...], ExitCode]] = {
    GprovError: (GprovError("it went wrong"), "it went wrong", (), ExitCode.ENVIRONMENT),
    BadInput: (
        BadInput("file", PROBLEMS),
        "file: $.a: is bad (and 1 more)",
        ("$.a: is bad", "is worse"),
        ExitCode.NEGATIVE,
    ),
    HardwareMismatch: (
        HardwareMismatch("another machine", PROBLEMS),
        "another machine",
        ("$.a: is bad", "is worse"),
        ExitCode.NEGATIVE,
    ),
    IntegrityFault: (IntegrityFault("x.upd", "is damaged"), "x.upd: is damaged", (), ExitCode.NEGATIVE),
    ImageRefused: (ImageRefused("x.upd", "is not signed"), "x.upd is refused: is not signed", (), ExitCode.NEGATIVE),
    RefusedByPolicy: (RefusedByPolicy("no"), "no", (), ExitCode.NEGATIVE),
    BurnInFailed: (
        BurnInFailed("failed: x (and 1 more)", ["x", "y"]),
        "burn-in failed: x (and 1 more)",
        ("x", "y"),
        ExitCode.NEGATIVE,
    ),
    BurnInAborted: (
        BurnInAborted("aborted after 5 s: z"),
        "burn-in aborted after 5 s: z",
        (),
        ExitCode.ENVIRONMENT,
    ),
    EraseUnfinished: (
        EraseUnfinished("/dev/sda NOT erased"),
        "data erase failed: /dev/sda NOT erased",
        (),
        ExitCode.NEGATIVE,
    ),
    EraseFailed: (EraseFailed("/dev/sda NOT erased"), "data erase FAILED: /dev/sda NOT erased", (), ExitCode.NEGATIVE),
    DeviceFault: (DeviceFault("/dev/sda", "broke", errno=5), "/dev/sda: broke", (), ExitCode.ENVIRONMENT),
    DeviceMissing: (DeviceMissing("/dev/sda", "is gone"), "/dev/sda: is gone", (), ExitCode.ENVIRONMENT),
    ToolFailed: (
        ToolFailed("tar", "exit status 2", command="tar -x", output="one\ntwo\n"),
        "tar: exit status 2",
        ("command: tar -x", "one", "two"),
        ExitCode.ENVIRONMENT,
    ),
    CommandRefused: (CommandRefused("BMC", "busy", 0xC0), "BMC: busy", (), ExitCode.ENVIRONMENT),
    ContentRefused: (
        ContentRefused("tar", "exit status 2", command="tar -x", output=""),
        "tar: exit status 2",
        ("command: tar -x",),
        ExitCode.ENVIRONMENT,
    ),
    ToolLocked: (
        ToolLocked("acme-setup", "exit status 4: the setup has a password", command="acme-setup apply x", output="no"),
        "acme-setup: exit status 4: the setup has a password",
        ("command: acme-setup apply x", "no"),
        ExitCode.ENVIRONMENT,
    ),
    ToolMissing: (
        ToolMissing("qemu", "install qemu-system-x86"),
        "qemu: program is not installed; install qemu-system-x86",
        (),
        ExitCode.ENVIRONMENT,
    ),
    NetworkFault: (NetworkFault("http://a/", "no answer"), "http://a/: no answer", (), ExitCode.ENVIRONMENT),
    HttpRefusal: (HttpRefusal("http://a/", "answered 404", 404), "http://a/: answered 404", (), ExitCode.ENVIRONMENT),
    DeadlineExceeded: (DeadlineExceeded("boot", 2.5), "boot: not within 2.5 s", (), ExitCode.ENVIRONMENT),
    InternalError: (InternalError("wrong order"), "wrong order", (), ExitCode.ENVIRONMENT),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_error_is_one_sentence_with_details(kind: type[GprovError]) -> None:
    error, sentence, details, code = EXAMPLES[kind]
    assert type(error) is kind
    assert str(error) == error.sentence == sentence
    assert error.details() == details
    assert error.exit_code is code


def test_every_error_has_an_example() -> None:
    families = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, GprovError)}
    assert families == set(EXAMPLES)


def test_a_missing_device_is_a_device_fault_and_a_missing_tool_too() -> None:
    assert issubclass(DeviceMissing, DeviceFault)
    assert issubclass(ToolMissing, DeviceMissing)
    assert issubclass(ToolFailed, DeviceFault)
    assert DeviceFault("a", "b", errno=5).errno == 5
    assert DeviceMissing("a", "b").errno is None
    assert str(ToolMissing("tar")) == "tar: program is not installed"


def test_of_long_output_the_end_is_told() -> None:
    error = ToolFailed("x", "failed", output="\n".join(str(number) for number in range(100)))
    assert error.details() == tuple(str(number) for number in range(80, 100))


def test_bad_input_without_problems_still_says_something() -> None:
    assert str(BadInput("file", [])) == "file: not valid"


def test_problems_compare_by_what_they_say() -> None:
    assert Problem("a", "b") == Problem("a", "b")
    assert Problem("a", "b") != Problem("a", "c")
    assert Problem("a", "b") != "a: b"
    assert len({Problem("a", "b"), Problem("a", "b"), Problem("b", "b")}) == 2
    assert repr(Problem("a", "b")) == "Problem('a', 'b')"


def test_a_secret_shows_only_where_it_is_revealed() -> None:
    secret = Secret("hunter2")
    credentials = Credentials(secret, Secret("a-bios"), Secret("a-bmc"))
    assert secret.reveal() == "hunter2"
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", repr(credentials), f"{[secret]}"):
        for word in ("hunter2", "a-bios", "a-bmc"):
            assert word not in text


def test_secrets_compare_by_content() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a")
    assert not Secret("")
    assert copy.deepcopy(Secret("a")) == Secret("a")
    assert PasswordHash("$y$") == "$y$"
