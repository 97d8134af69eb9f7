"""Lines of the server's log: one line for each record, of bounded length, and so many of each kind."""

from __future__ import annotations

from gprov.domain.factory.limits.rates import Rate, RateLimiter

_KINDS = 256
# Values of these parameters are shown in the log; those of others may be secrets.
_SHOWN = frozenset({"mac", "serial", "board", "name", "limit", "offset", "after"})


def one_line(text: str, most: int) -> str:
    """The text without blanks at its end. What is not printable is escaped as Python does; what is beyond ``most``
    characters is cut, with a note of that."""
    text = text.rstrip()
    if len(text) > most:
        text = f"{text[:most]} … (cut, was {len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class LineBudget:
    """``per_second``: lines of one kind, ten times as many at once."""

    def __init__(self, per_second: float) -> None:
        self._rate = RateLimiter(Rate(per_second * 60, max(1.0, per_second * 10)), most=_KINDS)
        self._omitted: dict[str, int] = {}

    def take(self, kind: str, now_ns: int) -> int | None:
        """None: the line is to be left out. Else how many lines of this kind were left out since the last one."""
        if self._rate.take(kind, now_ns):
            if kind in self._omitted or len(self._omitted) < _KINDS:
                self._omitted[kind] = self._omitted.get(kind, 0) + 1
            return None
        return self._omitted.pop(kind, 0)

    def omitted(self) -> dict[str, int]:
        """How many lines of each kind were left out and not counted anywhere yet; they count as reported then."""
        found, self._omitted = self._omitted, {}
        return found


def shown_target(target: str) -> str:
    """Path and query of a request for the log: only known parameters with their values."""
    path, mark, query = target.partition("?")
    return path + mark + "&".join(_shown(each) for each in query.split("&"))


def _shown(parameter: str) -> str:
    name, mark, _ = parameter.partition("=")
    if name in _SHOWN or not parameter:
        return parameter
    return f"{name[:20]}=***" if mark else "***"  # without "=", the whole of it may be a secret
