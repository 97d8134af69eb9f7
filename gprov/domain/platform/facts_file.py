"""The file platform_facts.json in the image's configuration folder. Imported by every normal boot."""

from __future__ import annotations

FACTS_FILE = "platform_facts.json"


def names_display(facts: bytes) -> bool:
    """Whether the content of the file names a display. It is not parsed, which would take longer."""
    return b'"Lcd": "' in facts and b'"Lcd": "none"' not in facts
