"""Commands that messages tell a person to run, between backticks: they exist, with what they require."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperOption

from gprov.apps.server.setup.hints import own_command
from tests.unit.apps.test_cli_commands import ALL

ROOT = Path(__file__).parents[3] / "gprov"
COMMANDS = {("gprov", *words): command for words, command in ALL}


def text_of(node: ast.AST) -> str:
    """Of a literal; "" for others. What is put into it is VALUE."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "VALUE" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def hints() -> Iterator[tuple[str, str]]:
    """File and command."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text())
        quoted = {
            " ".join(found.split())
            for node in ast.walk(tree)
            for found in re.findall(r"(?<!`)`(gprov [^`]+)`(?!`)", text_of(node))
        }
        own = {
            own_command(text_of(node.args[0]), "DIR").strip("`")
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "own_command"
        }
        yield from ((str(path.relative_to(ROOT)), hint) for hint in sorted(quoted | own))


HINTS = list(hints())


def test_some_are_found() -> None:
    files = {file for file, _ in HINTS}
    assert {"apps/server/setup/check_access.py", "domain/factory/setup/readme.py"} <= files


@pytest.mark.parametrize(("file", "hint"), HINTS)
def test_a_hint_can_be_typed(file: str, hint: str) -> None:
    """One without any option only names the command."""
    words = hint.split()
    command = next((COMMANDS[key] for size in (4, 3, 2) if (key := tuple(words[:size])) in COMMANDS), None)
    assert command is not None, f"{file}: {hint}"
    given = {word for word in words if word.startswith("--")}
    options = [one for one in command.params if isinstance(one, TyperOption)]
    assert given <= {"--help", *(name for one in options for name in (*one.opts, *one.secondary_opts))}, file
    lacking = [one.opts[0] for one in options if one.required and not given & set(one.opts)]
    assert not given or lacking == [], f"{file}: {hint}"
