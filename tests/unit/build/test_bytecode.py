from __future__ import annotations

import marshal
import sys
from types import CodeType

import pytest

from gprov.apps.host.initramfs.bytecode import compiled, texts
from gprov.domain.errors import BadInput

SOURCE = b'''"""Doc."""
import os
VALUES = {"alpha_beta", "gamma"}
def function(argument, *, keyword="default text"):
    assert argument
    return lambda: (argument, keyword, 3.5, b"raw", ("nested_name", 7))
'''


def code_of(content: bytes) -> CodeType:
    code = marshal.loads(content[16:])
    assert isinstance(code, CodeType)
    return code


def test_code_runs_with_the_given_name() -> None:
    code = code_of(compiled(SOURCE, "pkg/module.py", 2))
    assert code.co_filename == "pkg/module.py"
    namespace: dict[str, object] = {}
    exec(code, namespace)
    assert namespace["VALUES"] == {"alpha_beta", "gamma"}
    assert "__doc__" not in namespace


def test_output_does_not_depend_on_other_references() -> None:
    # Unless it is held, marshal writes a name differently when something else in the process refers to it.
    source = b"def qqq_never_seen_name(): return 'zzz_never_seen_text'\n"
    first = compiled(source, "m.py", 2)
    held = list(texts(code_of(first)))
    assert compiled(source, "m.py", 2) == first
    assert "zzz_never_seen_text" in held


def test_bad_source() -> None:
    with pytest.raises(BadInput, match=r"pkg/bad\.py"):
        compiled(b"def", "pkg/bad.py", 0)


@pytest.mark.parametrize("character", [chr(code) for code in range(32, 127) if chr(code) not in "\\'"])
def test_output_does_not_depend_on_interned_characters(character: str) -> None:
    """Strings of one character are the same object in all modules, whether or not any of them was interned."""
    before = compiled(f"x = '{character}'\n".encode(), "m.py", 2)
    sys.intern(character)
    assert compiled(f"x = '{character}'\n".encode(), "m.py", 2) == before
