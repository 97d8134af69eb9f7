"""Makes ``gprov/apps/host/runbook/texts.json`` (from the source of the programs of a unit) and the pages in
``docs/runbook`` (from it and the entries in ``gprov/apps/host/runbook/data``).

    python -m tools.runbook             writes them, and lists texts without an entry and entries without a text
    python -m tools.runbook --missing   prints the texts without an entry, as entries to be filled in
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from gprov.apps.host.runbook.entries import Chapter, Entry, Shown, chapters, doubled
from tools.shown_texts.collect import Collector, Texts
from tools.shown_texts.kinds import Kind
from tools.shown_texts.left_out import is_left_out
from tools.shown_texts.os_texts import os_texts
from tools.shown_texts.plain_names import plain
from tools.shown_texts.program import index
from tools.shown_texts.scripts import script_texts
from tools.shown_texts.sources import OF_KERNEL, PROGRAMS, ROOT, TOOLS, unit_modules

PAGES = ROOT / "docs/runbook"
TEXTS = ROOT / "gprov/apps/host/runbook/texts.json"
_WIDTH = 110
# An entry with more texts is to be split by what they mean and what helps.
MOST_TEXTS = 40
# Lines of logs only have no entries of their own.
_LISTED = tuple(kind for kind in Kind if kind is not Kind.LOG)
_KINDS = {
    "message": "message",
    "warning": "warning",
    "error": "error",
    "screen": "display",
    "question": "question",
    "menu": "menu",
    "password": "password",
    "operation": "work in progress",
    "progress": "progress",
    "problem": "problem in an input",
    "part": "part of another text",
}


_HEAD = """# Runbook

Every text that a unit can show: on its displays and consoles, in its log, or on the pages of the factory
server. Each has what it means, what the unit does next by itself, and what a person does.

1. Take the text with `ERROR` or `Warning` in front, in a log the last lines of severity ERROR, WARNING and
   MSG (the word behind the time). Lines of severity LOG need no action and are not listed; lines that begin
   with `GPROV-EVENT` are for programs.
2. Search these pages for some words of it in a row that are no names, numbers or devices, or ask `gprov
   explain` on any host.
3. Read **Unit** before **Person**: many units help themselves if they stay switched on. Then look up the
   reason behind the colon, which has an entry of its own.

```sh
gprov explain 'RECOVERY could not be used to record this boot: /dev/sdb2: Input/output error'
```

It takes a line of a log, a row of a display, or what can be read in a photo: what stands in front does not
matter, nor where a display breaks or cuts the text. `part of:` is in front of what such a part may belong to,
the most similar first; `similar:` in front of what is nearest to a text that is not known.

A name in braces, such as `{device}`, stands for what the unit puts there: a device, a file, a number, or the
reason. `subject` is what the text is about (a device, file or program), `items` are several, `expected` and
`found` what must be and what is. What several texts have in common is at the beginning of each page.

How a text is shown:

- **message**, **warning**, **error**: on displays and consoles, in the log on RECOVERY and on the factory
  server, if there is one. Displays put `Warning:` or `ERROR:` in front.
- **display**, **question**, **menu**, **password**: on displays and consoles only.
- **work in progress**, **progress**: on displays while it goes on; a line of the log when it begins and ends,
  `failed after … s:` with its reason if it fails.
- **problem in an input**: behind the name of a file, and the place in it.
- **part of another text**: within a message, warning or error, mostly behind a colon.

Behind that stand the programs that show it: those of the kernel (start, restore, erase, provisioning), or
those in the running system. updates: `gprov-update`, whose texts are in the journal, and in its reports to
the update server. tools: the other programs in the image, at the terminal or in the journal, behind the name
of the program.

`python -m tools.runbook` makes these pages from the source of the programs and
`gprov/apps/host/runbook/data`; a test compares both.
"""


@cache
def collected() -> Texts:
    """All texts of the source, with those that are not shown."""
    return Collector(index(unit_modules())).collect()


@cache
def needed() -> dict[str, Shown]:
    """Texts that have an entry, in order. Of those that differ in the names of placeholders, the first."""
    texts, scripts = collected(), script_texts(ROOT)
    alike: dict[str, list[str]] = {}
    for template in sorted({*texts.found, *scripts}):
        kinds = texts.found.get(template, set())
        if template in scripts or not is_left_out(template, texts.places[template], kinds):
            alike.setdefault(re.sub(r"\{\w+\}", "{}", template), []).append(template)
    found: dict[str, Shown] = {}
    for templates in alike.values():
        shown = {kind for one in templates for kind in texts.found.get(one, set()) | scripts.get(one, set())}
        listed = tuple(kind.value for kind in _LISTED if kind in shown)
        if listed:
            programs = {program for one in templates for program in texts.programs.get(one, ())}
            programs |= {TOOLS} if scripts.keys() & {*templates} else set()
            first = templates[0]
            found[first if first in scripts else plain(first)] = Shown(listed, tuple(sorted(programs)))
    reasons = {text: Shown((Kind.PART.value,), tuple(sorted((*PROGRAMS, TOOLS)))) for text in os_texts()}
    return dict(sorted((found | reasons).items()))


def texts_document(shown: dict[str, Shown]) -> str:
    """Text of ``texts.json``: a line for each template."""
    lines = [
        "    " + json.dumps({"text": template, "kinds": list(one.kinds), "programs": list(one.programs)})
        for template, one in shown.items()
    ]
    return '{\n  "texts": [\n' + ",\n".join(lines) + "\n  ]\n}\n"


def missing(shown: Iterable[str], book: Iterable[Chapter]) -> tuple[str, ...]:
    """Texts without an entry."""
    written = {text for chapter in book for entry in chapter.entries for text in entry.texts}
    return tuple(text for text in shown if text not in written)


def stale(shown: Iterable[str], book: Iterable[Chapter]) -> tuple[str, ...]:
    """Texts of entries that no unit shows."""
    known = set(shown)
    return tuple(text for chapter in book for entry in chapter.entries for text in entry.texts if text not in known)


def broad(book: Iterable[Chapter]) -> tuple[str, ...]:
    """The first texts of entries that have so many that they cannot say what to do about each."""
    return tuple(entry.texts[0] for chapter in book for entry in chapter.entries if len(entry.texts) > MOST_TEXTS)


def pages(book: Sequence[Chapter], shown: dict[str, Shown]) -> dict[Path, str]:
    """Files of the runbook and their contents."""
    found = {PAGES / f"{chapter.name}.md": page(chapter, shown) for chapter in book}
    return {PAGES / "index.md": overview(book), **found}


def overview(book: Sequence[Chapter]) -> str:
    lines = [
        f"| [{one.title}]({one.name}.md) | {_first_sentence(one.about)} | {sum(map(_size, one.entries))} |"
        for one in book
    ]
    return f"{_HEAD}\n| subject | what it has | texts |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def _size(entry: Entry) -> int:
    return len(entry.texts)


def _first_sentence(text: str) -> str:
    return f"{text.partition('. ')[0].removesuffix('.')}."


def page(chapter: Chapter, shown: dict[str, Shown]) -> str:
    blocks = [f"# {chapter.title}"]
    if chapter.about:
        blocks.append(_wrapped(chapter.about))
    blocks += [_entry(entry, shown) for entry in chapter.entries]
    return "\n\n".join(blocks) + "\n"


def _entry(entry: Entry, shown: dict[str, Shown]) -> str:
    first = entry.texts[0]
    lines = [f"### {_heading(first)}", "", *(line for text in entry.texts for line in _shown_text(text)), ""]
    kinds = [kind for kind in _KINDS if any(text in shown and kind in shown[text].kinds for text in entry.texts)]
    programs = sorted({program for text in entry.texts if text in shown for program in shown[text].programs})
    by = _programs(programs)
    lines.append(_wrapped(f"*{', '.join(_KINDS[kind] for kind in kinds)}; {by}*"))
    lines += ["", _item("Means", entry.means), _item("Unit", entry.unit)]
    if entry.person:
        lines.append(_item("Person", entry.person))
    return "\n".join(lines)


def _programs(programs: Sequence[str]) -> str:
    if set(PROGRAMS) <= set(programs):
        return "every program"
    return "every program of the kernel" if set(programs) == set(OF_KERNEL) else ", ".join(programs)


def _shown_text(template: str) -> list[str]:
    """Lines of a block of code; a long text goes on with more indentation."""
    return [
        part
        for line in template.splitlines()
        for part in textwrap.wrap(
            line,
            _WIDTH,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _heading(template: str) -> str:
    """The first text, shortened: headings are what a reader looks for."""
    text = " ".join(template.replace("{{", "{").replace("}}", "}").split())
    text = text if len(text) <= 90 else text[:89].rpartition(" ")[0] + " …"
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in text)


def _item(label: str, text: str) -> str:
    return textwrap.fill(
        f"- **{label}**: {text}", _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _wrapped(text: str) -> str:
    return "\n\n".join(
        textwrap.fill(" ".join(one.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
        for one in text.split("\n\n")
    )


def main(words: Sequence[str]) -> int:
    shown, book = needed(), chapters()
    if "--missing" in words:
        for text in missing(shown, book):
            print(f"[[entry]]\ntexts = [{json.dumps(text, ensure_ascii=False)}]")
        return 0
    TEXTS.write_text(texts_document(shown))
    for path, text in pages(book, shown).items():
        path.write_text(text)
    lacking, old, twice = missing(shown, book), stale(shown, book), doubled(book)
    found = (
        *(("without an entry", text) for text in lacking),
        *(("entry of no text", text) for text in old),
        *(("stands twice", text) for text in twice),
        *((f"more than {MOST_TEXTS} texts in one entry", text) for text in broad(book)),
    )
    for label, text in found:
        print(f"{label}: {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
