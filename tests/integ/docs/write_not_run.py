"""Writes docs/evidence/commands-not-run.md: ``python -m tests.integ.docs.write_not_run``."""

from tests.integ.docs.pages import not_run
from tests.integ.docs.sandbox import CHECKOUT

(CHECKOUT / "docs/evidence/commands-not-run.md").write_text(not_run())
