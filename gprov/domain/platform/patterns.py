"""Regular expressions out of configuration files.

The files were written for RE2; what both dialects share is what people use. An expression that Python cannot compile
is refused, and so is one that Python only *warns* about (``[[:alpha:]]``): it would compile to something else.
"""

from __future__ import annotations

import re
import warnings

from gprov.domain.errors import BadInput, Problem


def pattern_problem(pattern: str) -> str:
    """Why this is not a regular expression that gprov understands; "" if it is one."""
    try:
        # A warning tells that the meaning is not what it looks like. The filter is put back at once.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, ValueError, RecursionError, Warning) as exc:
        return f"is not a usable regular expression: {exc}"
    return ""


def pattern_matches(pattern: str, text: str) -> bool:
    """Whether the expression matches anywhere in the text. Raises BadInput if it is none."""
    problem = pattern_problem(pattern)
    if problem:
        raise BadInput("regular expression", [Problem(repr(pattern), problem)])
    return re.search(pattern, text) is not None
