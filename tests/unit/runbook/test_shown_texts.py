"""The texts that are found in the source of programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.shown_texts.collect import Collector, Texts
from tools.shown_texts.kinds import Kind
from tools.shown_texts.program import index
from tools.shown_texts.sources import unit_modules
from tools.shown_texts.wording import is_prose

ERRORS = """
class GprovError(Exception):
    def __init__(self, sentence):
        self.sentence = sentence

class DeviceFault(GprovError):
    def __init__(self, subject, reason, *, errno=None):
        super().__init__(f"{subject}: {reason}")

class ToolMissing(DeviceFault):
    def __init__(self, program, remedy=""):
        super().__init__(program, f"is not installed{'; ' + remedy if remedy else ''}")

class BadInput(GprovError):
    def __init__(self, what, problems):
        super().__init__(f"{what}: {problems}")

class Problem:
    def __init__(self, place, message): ...
"""


# The sentence of a class of errors, which is a text of its own.
ERROR_PLACE = "gprov.domain.errors.ToolMissing.__init__"


def collected(folder: Path, **modules: str) -> Texts:
    """What is found in programs with these modules of ``gprov.apps.init`` (names with ``unit_``: of ``apps.unit``)."""
    for package in ("init", "restore", "erase", "mfg", "unit"):
        (folder / f"gprov/apps/{package}").mkdir(parents=True)
    (folder / "gprov/domain").mkdir()
    (folder / "gprov/domain/errors.py").write_text(ERRORS)
    for name, text in modules.items():
        package = "unit" if name.startswith("unit_") else "init"
        head = "from gprov.domain.errors import BadInput, DeviceFault, GprovError, Problem, ToolMissing\n"
        (folder / f"gprov/apps/{package}/{name}.py").write_text(head + text)
    return Collector(index(unit_modules(folder))).collect()


def texts(found: Texts) -> dict[str, set[Kind]]:
    return {text: kinds for text, kinds in found.found.items() if found.places[text] != {ERROR_PLACE}}


@pytest.mark.parametrize(
    ("source", "template"),
    [
        ('bus.warning("no network")', "no network"),
        ('bus.warning(f"no log: {error}")', "no log: {error}"),
        ('bus.warning(f"no log: {self._fault.reason!r}")', "no log: {reason}"),
        ('bus.warning(f"{len(found)} of {LIMIT} disks")', "{found} of {limit} disks"),
        ('bus.warning("a " + "b " + str(name))', "a b {name}"),
        ('bus.warning("; ".join(("one thing", f"the other {x}")))', "one thing; the other {x}"),
        ("bus.warning(f\"{', '.join(names)} are left\")", "{names} are left"),
        ("bus.warning(f\"checking {path.rsplit('/', 1)[1]}\")", "checking {path}"),
        ("bus.warning(f\"known: {', '.join(map(repr, names))}\")", "known: {names}"),
        ("bus.warning(f\"known: {', '.join(dict.fromkeys(names))}\")", "known: {names}"),
        ('bus.warning(f"{max(0, found)} are left")', "{found} are left"),
        ('bus.warning(f"the character U+{ord(x)}")', "the character U+{x}"),
        ('bus.warning(f"{{}} is empty in {path}")', "{{}} is empty in {path}"),
        ('text = f"kept {name}"\n    bus.warning(text)', "kept {name}"),
        ('bus.warning(f"{Switch.NO_WIPE.value}: kept")', "NO_WIPE_DISKS: kept"),
        ("bus.warning(sentence(disk))", "{disk} is in use"),
    ],
)
def test_expressions(tmp_path: Path, source: str, template: str) -> None:
    text = (
        "LIMIT = 7\nclass Switch:\n    NO_WIPE = 'NO_WIPE_DISKS'\n"
        "def sentence(disk):\n    return f'{disk} is in use'\n"
        f"def run(bus, error, self, found, name, x, names, path, disk):\n    {source}\n"
    )
    found = texts(collected(tmp_path, flow=text))
    assert Kind.WARNING in found[template]


def test_a_choice_of_texts_gives_each(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        flow=(
            "def run(bus, lost, many):\n"
            "    more = '; older ones were lost' if lost else ''\n"
            "    what = 'disks' if many else 'disk'\n"
            "    bus.message(f'one {what}{more}')\n"
        ),
    )
    assert set(texts(found)) == {
        "one disk",
        "one disks",
        "one disk; older ones were lost",
        "one disks; older ones were lost",
    }


def test_texts_that_another_function_shows(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        flow="def work(self):\n    self._report('it broke')\ndef _report(self, text):\n    self._bus.warning(text)\n",
    )
    assert texts(found) == {"it broke": {Kind.WARNING}}
    assert found.unresolved == set()


def test_sentences_of_errors(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        flow=(
            "def run(node, error, why):\n"
            "    raise DeviceFault(node, f'cannot be read: {error}')\n"
            "def look(program):\n"
            "    raise ToolMissing(program, 'install it')\n"
            "def need(program):\n"
            "    raise ToolMissing(program)\n"
            "def parse(source):\n"
            "    raise BadInput(source, [Problem('$', 'is missing')])\n"
            "def plain(node, why):\n"
            "    raise DeviceFault(node, why)\n"
        ),
    )
    assert texts(found) == {
        "{node}: cannot be read: {error}": {Kind.ERROR},
        "{program}: is not installed; install it": {Kind.ERROR},
        "{program}: is not installed": {Kind.ERROR},
        "is missing": {Kind.PROBLEM},
    }


def test_an_error_that_is_shown_is_found_where_it_is_made(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        flow=(
            "def run(bus):\n"
            "    try:\n        work()\n"
            "    except DeviceFault as fault:\n        bus.warning(str(fault))\n"
            "def show(bus, error: GprovError):\n    bus.error(error)\n"
        ),
    )
    assert texts(found) == {}
    assert found.unresolved == set()


def test_what_cannot_be_resolved_is_listed(tmp_path: Path) -> None:
    found = collected(tmp_path, flow="def run(bus, plan):\n    bus.warning(plan.warnings[0].text)\n")
    assert [one.source for one in found.unresolved] == ["plan.warnings[0].text"]


def test_other_sentences_are_parts(tmp_path: Path) -> None:
    """And keys, paths and docstrings are none."""
    found = collected(
        tmp_path,
        flow=(
            '"""A docstring is not shown."""\n'
            "def reason(disk):\n"
            '    """Nor is this one."""\n'
            "    return '' if disk.good else 'the disk is too small'\n"
            "PATH = '/sys/block/sda'\nKEY = 'real_root'\n"
        ),
    )
    assert texts(found) == {"the disk is too small": {Kind.PART}}


def test_dialogs(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        flow=(
            "LEAVE = 'Back'\n"
            "def run(operator, name):\n"
            "    operator.show('Wrong password')\n"
            "    operator.confirm(f'Erase {name}?', 5.0)\n"
            "    operator.choose('Boot menu', ['Resume', '', LEAVE], 5.0)\n"
            "    operator.ask_secret('Password', 5.0)\n"
        ),
    )
    assert texts(found) == {
        "Wrong password": {Kind.SCREEN},
        "Erase {name}?": {Kind.QUESTION},
        "Boot menu": {Kind.MENU},
        "Resume": {Kind.MENU},
        "Back": {Kind.MENU},
        "Password": {Kind.PASSWORD},
    }


def test_a_text_that_a_function_gives_for_the_log_may_be_shown_elsewhere(tmp_path: Path) -> None:
    """And one that stands in the call itself is of the log alone."""
    found = collected(
        tmp_path,
        flow=(
            "def run(bus, disks):\n"
            "    for disk in disks:\n        bus.log(outcome_text(disk))\n"
            "    bus.log('all disks were looked at')\n"
            "    bus.warning('; '.join([outcome_text(disk) for disk in disks]))\n"
            "def outcome_text(disk):\n    return f'{disk} was NOT erased at all'\n"
        ),
    )
    assert texts(found) == {
        "{disk} was NOT erased at all": {Kind.LOG, Kind.PART},
        "all disks were looked at": {Kind.LOG},
    }


def test_what_a_function_adds_to_a_text_may_be_nothing(tmp_path: Path) -> None:
    """A function whose text stands for itself gives no text if there is no problem."""
    found = collected(
        tmp_path,
        flow=(
            "def run(bus, name):\n"
            "    bus.error(f'no volume {name}{hint(name)}')\n"
            "    bus.warning(f'{name}: {problem(name)}')\n"
            "def hint(name):\n    if not name:\n        return ''\n    return f'. If {name} is another: copy it'\n"
            "def problem(name):\n    return '' if name else 'is not there'\n"
        ),
    )
    shown = {text for text, kinds in texts(found).items() if kinds - {Kind.PART}}
    assert shown == {"no volume {name}", "no volume {name}. If {name} is another: copy it", "{name}: is not there"}


def test_a_variable_that_stands_for_a_method_of_the_bus(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        flow="def run(bus, lost, it):\n    report = bus.warning if lost else bus.log\n    report(f'starting {it}')\n",
    )
    assert texts(found) == {"starting {it}": {Kind.WARNING, Kind.LOG}}


def test_modules_that_no_program_imports_are_not_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "gprov/domain"
    folder.mkdir(parents=True)
    (folder / "server.py").write_text("def run(bus):\n    bus.warning('of the server')\n")
    (folder / "unit.py").write_text("def run(bus):\n    bus.warning('of the unit')\n")
    (folder / "named.py").write_text("def run(bus):\n    bus.warning('of an adapter')\n")
    (tmp_path / "gprov/domain").rename(tmp_path / "kept")
    text = "def run():\n    from gprov.domain import unit\nADAPTER = 'gprov.domain.named.Adapter'\n"
    for package in ("init", "restore", "erase", "mfg", "unit"):
        (tmp_path / f"gprov/apps/{package}").mkdir(parents=True)
    (tmp_path / "kept").rename(tmp_path / "gprov/domain")
    (tmp_path / "gprov/domain/errors.py").write_text(ERRORS)
    (tmp_path / "gprov/domain/__init__.py").touch()
    (tmp_path / "gprov/apps/init/flow.py").write_text(text)
    found = Collector(index(unit_modules(tmp_path))).collect()
    assert set(texts(found)) == {"of the unit", "of an adapter"}
    assert found.programs["of the unit"] == {"start"}


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("the disk is too small", True),
        ("is missing", True),
        ("{node} is gone", True),
        ("LABEL=PRIMARY", False),
        ("/sys/block/{name}", False),
        ("real_root", False),
        ("{node}: {reason}", False),
        ("{name}: measured {value}, limit {limit}", True),
        ("{place}\n  required: {wanted}\n  detected: {found}", True),
        ("failed: {name}", True),
        ("{disk} NOT erased: {why}", True),
        ("LABEL: {name}", False),
        ("ext4", False),
    ],
)
def test_prose(text: str, prose: bool) -> None:
    assert is_prose(text) is prose
