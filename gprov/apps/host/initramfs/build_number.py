"""The build number of kernels, from the environment."""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.errors import BadInput, Problem

NAME = "BUILD_NUMBER"
DEFAULT = 1
# What JSON documents hold; with it a release string stays below the kernel's 64 characters.
MAX_BUILD_NUMBER = 2**63 - 1


def given_build_number(environment: Mapping[str, str]) -> int | None:
    """None if the environment does not say. Raises BadInput."""
    text = environment.get(NAME)
    if not text:
        return None
    digits = len(text) <= len(str(MAX_BUILD_NUMBER)) and text.isascii() and text.isdecimal()
    if not digits or int(text) > MAX_BUILD_NUMBER:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise BadInput(NAME, [Problem("", f"must be a decimal number up to {MAX_BUILD_NUMBER}, is {shown!r}")])
    return int(text)
