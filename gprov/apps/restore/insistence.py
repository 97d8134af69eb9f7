"""The override: a person at the unit insists on an image that the owner does not allow. Two questions, each of which
counts as no without an answer."""

from __future__ import annotations

from gprov.ports.operator import Operator

SECONDS = 60.0


def ask_person(operator: Operator, image: str, reason: str) -> bool:
    """``reason``: why the image is refused."""
    return operator.confirm(f"{image} is REFUSED: {reason}. Use it in spite of that?", SECONDS) and operator.confirm(
        f"Nothing proves that {image} is from the owner of this unit, or new enough. Really use it, this once?", SECONDS
    )
