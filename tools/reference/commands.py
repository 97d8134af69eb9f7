"""The page with every command of ``gprov``, its arguments and options, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from gprov.apps.host.cli.commands import COMMANDS, attach
from gprov.apps.host.cli.options import new_app
from tools.reference.text import escaped

_HEAD = """# All commands and options

Made from the command line of this version; `gprov COMMAND ACTION --help` prints the same. What commands have in
common: [cli.md](cli.md).
"""
Words = tuple[str, ...]


def commands_page() -> str:
    parts = [_HEAD]
    for name, command in COMMANDS.items():
        parts.append(f"\n## gprov {name}\n\n{_sentence(command.summary)}\n")
        parts += [_action(words, one) for words, one in actions(name)]
    return "".join(parts)


def actions(name: str) -> Iterator[tuple[Words, TyperCommand]]:
    """Every action of a command, with its words; the command itself if it has none."""
    root = new_app("")
    attach(root, name)
    root.callback()(lambda: None)
    group = get_command(root)
    assert isinstance(group, TyperGroup)
    yield from _leaves((name,), group.commands[name])


def _leaves(words: Words, command: object) -> Iterator[tuple[Words, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _leaves((*words, name), inner)
    else:
        assert isinstance(command, TyperCommand), words
        yield words, command


def _action(words: Words, command: TyperCommand) -> str:
    title = " ".join(("gprov", *words))
    shown = [_argument(one) for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption)]
    usage = " ".join((title, *(("[OPTIONS]",) if options else ()), *(name for name, _ in shown)))
    # A command without actions has the heading of the command.
    heading = f"\n### {title}\n" if len(words) > 1 else ""
    text = escaped(inspect.cleandoc(command.help or ""))
    rows = [row for _, row in shown] + [_option(option) for option in options]
    table = "\n| name | default | meaning |\n|---|---|---|\n" + "".join(rows) if rows else ""
    return f"{heading}\n    {usage}\n\n{text}\n{table}"


def _argument(argument: TyperArgument) -> tuple[str, str]:
    """In the usage, and its row."""
    name = (argument.metavar or (argument.name or "").upper()).strip("[]")
    many = "…" if argument.nargs != 1 else ""
    usage = name + many if argument.required else f"[{name}{many}]"
    return usage, _row(f"`{name}{many}`", "" if argument.required else _default(argument), argument.help)


def _option(option: TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" `{option.metavar or (option.name or '').upper()}`"
    many = " …" if option.multiple else ""
    return _row(f"{names}{value}{many}", "required" if option.required else _default(option), option.help)


def _default(parameter: TyperArgument | TyperOption) -> str:
    value = parameter.default
    if value is None or value is False or value in ("", ()) or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`" if parameter.show_default else ""


def _row(name: str, default: str, means: str | None) -> str:
    text = escaped(" ".join((means or "").split()))
    return f"| {_cell(name)} | {_cell(default)} | {_cell(text)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sentence(summary: str) -> str:
    return f"{summary[:1].upper()}{summary[1:].rstrip('.?')}."
