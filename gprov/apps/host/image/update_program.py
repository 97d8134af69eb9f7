"""The agent for updates as one file that Python runs: its modules of gprov, and nothing else, in a zip archive.

Images need not have packages of Python. What the agent imports is found in the source: all of it, also what functions
import when they run; imports for type checkers are left out. The same version and names give the same bytes.

Format: Python's documentation, "zipapp — Manage executable Python zip archives".
"""

from __future__ import annotations

import ast
import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict

import gprov
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.domain.branding import Branding
from gprov.domain.errors import InternalError

MODULE = "gprov.apps.update.main"
# -I: neither the user's modules nor the environment's change what root runs.
_SHEBANG = b"#!/usr/bin/python3 -IB\n"
_DATE = (1980, 1, 1, 0, 0, 0)  # the first one that the format has
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(gprov.__file__)))
_STANDARD_LIBRARY_MODE = 0o100644 << 16
# The only names of the package typing_extensions that are used at run time.
_TYPING_EXTENSIONS = b'''\
"""typing_extensions, as far as gprov needs it when it runs."""

from typing import NamedTuple


def override(method):
    return method


class Doc(NamedTuple):
    documentation: str
'''


def update_program(branding: Branding) -> bytes:
    """Content of the program. Raises DeviceFault for a source that cannot be read."""
    names = json.dumps(asdict(branding), sort_keys=True)
    main = f'import sys\n\nfrom {MODULE} import main\n\nif __name__ == "__main__":\n    sys.exit(main({names!r}))\n'
    files = {"__main__.py": main.encode(), "typing_extensions.py": _TYPING_EXTENSIONS, **agent_sources()}
    out = io.BytesIO(_SHEBANG)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in sorted(files.items()):
            info = zipfile.ZipInfo(path, _DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _STANDARD_LIBRARY_MODE
            archive.writestr(info, content)
    return out.getvalue()


def agent_sources() -> dict[str, bytes]:
    """Content by path of all modules of gprov that the agent may import."""
    found: dict[str, bytes] = {}
    waiting = [MODULE]
    while waiting:
        name = waiting.pop()
        path = _path_of(name)
        if path is None or path in found:
            continue
        found[path] = content = read_file(os.path.join(_ROOT, path))
        waiting += imported(content, path)
        waiting += [name.rpartition(".")[0]] if "." in name else []
    return found


def imported(source: bytes, path: str) -> Iterator[str]:
    """Names of modules of gprov that this one imports, and names in them, which may be modules too."""
    waiting: list[ast.AST] = [ast.parse(source, path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise InternalError(f"{path}: a relative import")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def _path_of(name: str) -> str | None:
    """Of a module of gprov; None for other names."""
    if name.partition(".")[0] != gprov.__name__:
        return None
    base = name.replace(".", "/")
    return next((path for path in (f"{base}/__init__.py", f"{base}.py") if os.path.isfile(f"{_ROOT}/{path}")), None)
