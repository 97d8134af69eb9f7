"""Pages of the site, as they are put together, and generated ones against what the code says otherwise.

tests/unit/simulate/test_documents.py has the navigation, and compares committed pages with the code.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gprov.ports
from gprov.apps.host.cli.commands import COMMANDS
from gprov.apps.host.cli.main import main
from gprov.domain.boot import args
from tools.reference.arguments import MEANS, Kind, described
from tools.reference.commands import actions, commands_page
from tools.reference.pages import BUILT_FILES
from tools.reference.ports import ports, ports_page
from tools.site.assemble import STYLE, assemble, attached, pages


def test_the_site_has_every_page_and_file(tmp_path: Path) -> None:
    (tmp_path / "old.md").touch()
    assemble(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*(place for place, _ in pages()), *attached().values(), *BUILT_FILES, STYLE}
    assert "pictures/start.svg" in found
    assert "project/files/examples/adopter/tools/acme-setup" in found


def test_links_of_assembled_pages_lead_to_files(tmp_path: Path) -> None:
    assemble(tmp_path)
    count = 0
    for page in tmp_path.rglob("*.md"):
        for target in re.findall(r"\]\((?!https?://)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).is_file(), f"{page.relative_to(tmp_path)}: {target}"
            count += 1
    assert count > 500


def help_of(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_the_help_is_on_the_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = commands_page()
    for words, _ in actions(name):
        heading = f"{'###' if len(words) > 1 else '##'} gprov {' '.join(words)}\n"
        assert page.count(f"\n{heading}") == 1
        section = re.split(r"^##", page.partition(f"\n{heading}")[2], maxsplit=1, flags=re.MULTILINE)[0]
        found = set(re.findall(r"--[a-z][a-z0-9-]*", help_of(words, capsys))) - {"--help"}
        assert {option for option in found if f"`{option}`" not in section and option not in section} == set(), words


def protocols() -> Iterator[tuple[str, type]]:
    for module in pkgutil.walk_packages(gprov.ports.__path__, "gprov.ports."):
        for name, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if getattr(found, "_is_protocol", False) and found.__module__ == module.name:
                yield name, found


def test_every_port_and_method_is_on_the_page() -> None:
    """Found by importing the modules; the page is made from their text."""
    page = ports_page()
    wanted = dict(protocols())
    assert {port.name for port in ports()} == set(wanted)
    assert len(wanted) > 40
    for port in ports():
        own = {name for name in vars(wanted[port.name]) if not name.startswith("_")}
        own |= set(wanted[port.name].__annotations__)
        assert {method.name for method in port.methods if not method.name.startswith("_")} == own, port.name
        assert f"\n### {port.name}\n" in page


def test_arguments_are_as_the_parser_has_them() -> None:
    found = {argument.name: argument for argument, _ in described()}
    assert found["PROVISION_ROOT_WAIT"].default == f"{args.ROOT_DEADLINE_SECONDS:g}"
    assert found["PROVISION_EMERGENCY"].default == args.EmergencyPolicy.IMAGES.value
    assert found["PROVISION_EMERGENCY"].words == ("off", "images", "all")
    assert found["PREFERRED_UPDATE"].words == tuple(each.value for each in args.PreferredImage)
    assert {name for name, argument in found.items() if argument.mode} == args.MODE_ARGUMENTS
    kinds = {kind: {name for name, one in found.items() if one.kind is kind} for kind in Kind}
    assert kinds[Kind.SECONDS] == {
        f"PROVISION_{name}" for name in ("KEY_WINDOW", "ROOT_WAIT", "ARRAY_WAIT", "EMERGENCY_WAIT", "FAILURE_HOLD")
    }
    assert {"NO_REBOOT", "PROVISION_VERBOSE"} <= kinds[Kind.SWITCH]
    assert {"mfgurl", "PROVISION_TOKEN", "PROVISION_BOOT_ARGS"} <= kinds[Kind.TEXT]
    kept = {name for name, one in found.items() if one.kept}
    assert kept == {
        f"PROVISION_{name}"
        for name in ("VERBOSE", "EMERGENCY", "EMERGENCY_WAIT", "KEY_WINDOW", "ROOT_WAIT", "ARRAY_WAIT", "FAILURE_HOLD")
    } | {"KERNEL_OVERRIDE", "PROVISION_LCD_MANUFACTURER"}


def test_every_meaning_is_of_an_argument() -> None:
    assert {argument.name.removeprefix("PROVISION_") for argument, _ in described()} == set(MEANS)
