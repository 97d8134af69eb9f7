"""Regular expressions in configuration files.

Existing files use the RE2 dialect, which shares the common syntax with Python. Expressions that Python cannot compile
are errors, and so are those with a Python warning (``[[:alpha:]]``), which have another meaning in Python.
"""

from __future__ import annotations

import re
import warnings

from gprov.domain.errors import BadInput, Problem


def pattern_problem(pattern: str) -> str:
    """Return why a regular expression is not usable; "" if it is."""
    try:
        # The context manager restores the filter of warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, ValueError, RecursionError, Warning) as exc:
        return f"is not a usable regular expression: {exc}"
    return ""


def pattern_matches(pattern: str, text: str) -> bool:
    """Whether the expression matches anywhere in the text. Raises BadInput if it is not usable."""
    problem = pattern_problem(pattern)
    if problem:
        raise BadInput("regular expression", [Problem(repr(pattern), problem)])
    return re.search(pattern, text) is not None
