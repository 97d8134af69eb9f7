"""Splitting of commands; the oracle for quoting is the standard library's POSIX mode and, for sure, dash's rules."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.mfg.command import TemplateValue, Word, parse_command, parse_template


def literal(text: str) -> list[str]:
    parsed = parse_command(text)
    assert parsed.problems == ()
    return ["".join(str(part) for part in word.parts) for word in parsed.words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chmod +x a", ["chmod", "+x", "a"]),
        ("  a\tb\nc  ", ["a", "b", "c"]),
        ("echo -e 'this\\040works'", ["echo", "-e", "this\\040works"]),
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]),
        ("a '' \"\"", ["a", "", ""]),
        ("a b'c'\"d\"e", ["a", "bcde"]),
        (r'a "\"\$\`\\\n"', ["a", '"$`\\\\n']),
        ("a 'b\"c' \"d'e\"", ["a", 'b"c', "d'e"]),
        ("a # b", ["a"]),
        ("a #b\nc", ["a", "c"]),
        ("a b#c '#d'", ["a", "b#c", "#d"]),
        ("a \\\nb", ["a", "b"]),
        ('a "b\\\nc"', ["a", "bc"]),
        ("a }} {b} {", ["a", "}}", "{b}", "{"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert literal(text) == words


@settings(max_examples=200)
@given(st.text(alphabet="ab '\"\\\n$", max_size=14).map(lambda text: "x " + text))
def test_splits_like_the_standard_library(text: str) -> None:
    parsed = parse_command(text)
    # shlex keeps what follows a backslash before a newline, which POSIX removes together with it.
    if "\\\n" in text or "\\$" in text:
        return
    try:
        expected = shlex.split(text, comments=False, posix=True)
    except ValueError:
        assert parsed.problems
        return
    assert literal(text) == expected


@settings(max_examples=200)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8), min_size=1))
def test_quoted_words_come_back(words: list[str]) -> None:
    if any("{{" in word for word in words) or not words[0]:
        return
    assert literal(shlex.join(words)) == words


def test_templates_are_one_argument_however_they_are_written() -> None:
    parsed = parse_command(
        "ls {{.DLDir}} '{{  .RecoveryDir }}/a b' \"{{.Serial}}\" x{{.OSPass}}{{ .BiosPass}}y {{.IpmiPass }}"
    )
    assert parsed.problems == ()
    assert [word.parts for word in parsed.words] == [
        ("ls",),
        (TemplateValue.DL_DIR,),
        (TemplateValue.RECOVERY_DIR, "/a b"),
        (TemplateValue.SERIAL,),
        ("x", TemplateValue.OS, TemplateValue.BIOS, "y"),
        (TemplateValue.IPMI,),
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{.DLDir}}/sampleCmd.sh", [(TemplateValue.DL_DIR, "/sampleCmd.sh")]),
        ("ls -lR {{ .RecoveryDir }} ", [("ls",), ("-lR",), (TemplateValue.RECOVERY_DIR,)]),
        ("echo serial={{.Serial}}", [("echo",), ("serial=", TemplateValue.SERIAL)]),
        ("echo {{ .OSPass }} {{ .BiosPass }}", [("echo",), (TemplateValue.OS,), (TemplateValue.BIOS,)]),
        ("a {{- .Serial -}} b", [("a", TemplateValue.SERIAL, "b")]),
        ("a {{/* the unit's */}}{{$.Serial}}", [("a",), (TemplateValue.SERIAL,)]),
        ("a {{/* b */}}{{/* c */ }}d {{ /* * / */}}", [("a",), ("d",)]),
        (r"echo -e 'this\040works'", [("echo",), ("-e",), (r"this\040works",)]),
    ],
)
def test_commands_as_files_of_the_earlier_system_have_them(text: str, parts: list[tuple[object, ...]]) -> None:
    parsed = parse_command(text)
    assert parsed.problems == ()
    assert [word.parts for word in parsed.words] == parts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x {{.Nope}}", "unknown template '{{.Nope}}'; known: {{.DLDir}}"),
        ("x {{if .Serial}}y{{end}}", "'{{if .Serial}}': only single values are put in, without conditions, pipes"),
        ("x {{.Serial | printf}}", "fetch a script with Files and pass it the values as arguments"),
        ('x {{"text"}}', "'{{\"text\"}}': write the text itself"),
        ("x {{.Serial", "}} is missing"),
    ],
)
def test_a_template_that_is_refused_says_what_to_write_instead(text: str, words: str) -> None:
    assert words in parse_command(text).problems[0]


@pytest.mark.parametrize(
    "text",
    ["", "  ", "# x", "''", "a 'b", 'a "b', "a \\", "{{.Nope}}", "{{Serial}}", "{{.serial}}", "{{.Serial",
     "{{{.Serial}}}", "{{-.Serial}}", "{{.Serial | len}}", "{{}}", "a\0b", "a \ud800", "{{/* a",
     "a {{/* b */", "a {{/* b */ c */}}"],
)  # fmt: skip
def test_refused_commands(text: str) -> None:
    assert parse_command(text).problems


def test_every_unknown_template_is_named() -> None:
    parsed = parse_command("a {{.One}} {{.Serial}} {{.Two}}")
    assert [message.split("'")[1] for message in parsed.problems] == ["{{.One}}", "{{.Two}}"]


@pytest.mark.parametrize(("text", "found"), [("a|b", "|"), ("a 'b|c' \"d;e\"", ""), ("$A `b`", "$`"), ("a \\| b", "")])
def test_characters_that_only_a_shell_understands(text: str, found: str) -> None:
    assert parse_command(text).shell_only == found


def test_a_template_is_not_split() -> None:
    assert parse_template("a 'b {{.DLDir}}").words == (Word(("a 'b ", TemplateValue.DL_DIR)),)
    assert parse_template("").words == ()
    assert parse_template("{{x").problems


@settings(max_examples=200)
@given(st.text(max_size=30) | st.text(alphabet="{}.DLirSe '\"\\#", max_size=30))
def test_any_text_is_judged(text: str) -> None:
    parsed = parse_command(text)
    assert parsed.words or parsed.problems
    parse_template(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{.BiosPass}}", TemplateValue.BIOS),
        ("{{.IpmiPass}}", TemplateValue.IPMI),
        ("{{.RecoveryDir}}", TemplateValue.RECOVERY_DIR),
        ("{{.Serial}}", TemplateValue.SERIAL),
        ("{{.DLDir}}", TemplateValue.DL_DIR),
        ("{{.OSPass}}", TemplateValue.OS),
        ("{{.asdfss}}", None),
    ],
)
def test_templates_in_the_field(text: str, value: TemplateValue | None) -> None:
    """Values of the earlier Go system's tests (pkg/mfg/configStep); None: there is no such value."""
    parsed = parse_command(f"a {text}")
    if value is None:
        assert parsed.problems
    else:
        assert parsed.words == (Word(("a",)), Word((value,)))
        assert parsed.problems == ()
