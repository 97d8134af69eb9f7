"""The texts of the tools in an image, which are scripts."""

from __future__ import annotations

import re

import pytest

from tools.shown_texts.kinds import Kind
from tools.shown_texts.scripts import FOLDER, script_texts, texts_of
from tools.shown_texts.sources import ROOT


@pytest.mark.parametrize(
    ("line", "template", "kind"),
    [
        (
            '[ -e "$1" ] || fail "$config/x cannot be read: it names $key"',
            "{folder}/x cannot be read: it names {key}",
            Kind.ERROR,
        ),
        ('warn "${file##*/} is not uploaded"', "{file} is not uploaded", Kind.WARNING),
        (
            '(put "$1") 2>/dev/null || { warn "the port $mac is gone" && status=1; }',
            "the port {mac} is gone",
            Kind.WARNING,
        ),
        ('case $1 in -*) usage "no such option: $1" ;; esac', "no such option: {text}", Kind.ERROR),
        ('[ $# -le 2 ] || refuse "it needs $(($# / 20)) rows"', "it needs {number} rows", Kind.ERROR),
        ('echo "$tool: a data erase is requested"', "a data erase is requested", Kind.MESSAGE),
        ('echo "$tool: uploaded ${file##*/}"', "uploaded {file}", Kind.MESSAGE),
        ('ask "Type yes for $serial:" yes ||', "Type yes for {serial}:", Kind.QUESTION),
        ('need() { fail "needs the program $1: add $2"; }', "needs the program {program}: add {package}", Kind.ERROR),
        ('    if (c == "") { fail("a string does not end"); break }', "a string does not end", Kind.ERROR),
        (
            'print "not JSON: " what " at character " at > "/dev/stderr"',
            "not JSON: {reason} at character {number}",
            Kind.ERROR,
        ),
        ('fail "one" \\\n    "two words"', "one", Kind.ERROR),
    ],
)
def test_lines(line: str, template: str, kind: Kind) -> None:
    [found] = texts_of(line)
    assert (found.template, found.kind) == (template, kind)


@pytest.mark.parametrize(
    "line", ['# fail "not shown"', 'echo "$folder"', 'echo "/dev/$name"', 'warn "$*"', "name=echo", "echo 0"]
)
def test_what_is_no_text(line: str) -> None:
    assert list(texts_of(line)) == []


def test_a_value_without_a_name_is_refused() -> None:
    with pytest.raises(KeyError):
        list(texts_of('fail "the thing $qwertz is gone"'))


def test_no_script_calls_a_function_of_messages_otherwise() -> None:
    """Each call of such a function is one that is read: in double quotes, or passing on what it was given."""
    for path in sorted((ROOT / FOLDER / "sbin").iterdir()):
        for line in path.read_text().replace("\\\n", " ").splitlines():
            code = re.sub(r"^\s*#.*", "", line)
            for call in re.findall(r"(?:^|[;&|{(]\s*|\bthen |\belse )\b(?:fail|refuse|warn|usage)\b(?!\()(.*)", code):
                assert re.match(r'\s+"', call), (path.name, line)


def test_scripts_of_this_project() -> None:
    found = script_texts(ROOT)
    assert found["must be run by root"] == {Kind.ERROR}
    assert found["{folder}/Image holds no image: there is nothing to restore"] == {Kind.ERROR}
    assert len(found) > 80
