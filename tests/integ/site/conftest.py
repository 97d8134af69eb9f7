"""The browser of the tests of pages."""

from __future__ import annotations

from tests.integ.pages.conftest import browser

__all__ = ["browser"]
