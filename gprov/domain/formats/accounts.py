"""The account files of an image: passwd(5), group(5) and shadow(5), read and edited as bytes.

Only needed fields are interpreted and only the requested fields are changed; all other bytes stay. Empty lines,
comments and NIS lines (``+``, ``-``) are skipped, with blanks in front of them too, as in glibc (nss_files). Other
lines with blanks or control characters in front are malformed: glibc would find a name there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NewType

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.empty_passwords import matches_empty_password
from gprov.domain.formats.owner import Owner

# A crypt(5) string. Protected like a secret at rest, but it does not reveal the password.
PasswordHash = NewType("PasswordHash", str)

_PASSWD_FIELDS = 7
_GROUP_FIELDS = 4
_SHADOW_FIELDS = 9
# uid and gid are 32 bits; the highest means "no change" in system calls.
_MAX_ID = 2**32 - 2
_NO_SHELLS = (b"nologin", b"false")
_NAME = re.compile(rb"[A-Za-z0-9_.][A-Za-z0-9_.@$-]*")
_SHADOWED = b"x"
# pam_unix reads other texts (##name, *NP*) as "see shadow".
_PASSWD_PASSWORD = re.compile(rb"x|\*|!.*|\$.*|", re.DOTALL)
# Fields of shadow that end an account: days of grace after the password expired, and the day of expiry.
_EXPIRY = (6, 7)
_DAYS = re.compile(rb"(-?[0-9]{1,10})?")


# In place of a password: nothing that is typed matches it.
LOCKED = PasswordHash("!")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    fields: tuple[bytes, ...]

    @property
    def place(self) -> str:
        return f"line {self.number}"


def ids_of(passwd: bytes, user: str) -> Owner:
    """Numeric user and primary group of an account. Raises BadInput: no such user, duplicate, malformed lines."""
    source = "passwd"
    line = _single_entry(source, user, _entries(source, passwd, _PASSWD_FIELDS, (2, 3)))
    if line is None:
        raise BadInput(source, [Problem("", f"no user {user!r}")])
    return Owner(int(line.fields[2]), int(line.fields[3]))


def gid_of(group: bytes, name: str) -> int | None:
    """Number of a group, None if there is no such group. Raises BadInput: duplicate, malformed lines."""
    line = _single_entry("group", name, _entries("group", group, _GROUP_FIELDS, (2,)))
    return None if line is None else int(line.fields[2])


def ids_by_name(content: bytes) -> dict[bytes, int]:
    """Numbers of the users of passwd, or of the groups of group, as glibc looks them up: the first line of a name
    counts, malformed lines are skipped."""
    known: dict[bytes, int] = {}
    for line in _lines(content):
        if len(line.fields) in (_GROUP_FIELDS, _PASSWD_FIELDS) and not _wrong(line.fields, len(line.fields), (2,)):
            known.setdefault(line.fields[0], int(line.fields[2]))
    return known


def set_password_hash(shadow: bytes, user: str, hashed: PasswordHash) -> bytes:
    """Return the file with the user's password field replaced, which also unlocks a locked account. The fields that
    could end the account are cleared. Raises BadInput: no such user, duplicate, malformed lines, or a hash with invalid
    characters."""
    source = "shadow"
    if not re.fullmatch(r"[!-9;-~]+", hashed):  # printable ASCII, no blank, no colon
        raise BadInput(source, [Problem(user, "the password hash is no crypt(5) string")])
    line = _single_entry(source, user, _entries(source, shadow, _SHADOW_FIELDS, ()))
    if line is None:
        raise BadInput(source, [Problem("", f"no user {user!r}")])
    fields = [b"" if index in _EXPIRY else field for index, field in enumerate(line.fields)]
    if not all(_DAYS.fullmatch(field) for field in fields[2:]):
        raise BadInput(source, [Problem(line.place, "has a field that is no number: the account could not log in")])
    fields[1] = hashed.encode("ascii")
    lines = shadow.split(b"\n")
    lines[line.number - 1] = b":".join(fields)
    return b"\n".join(lines)


def check_login(passwd: bytes, user: str) -> None:
    """Raises BadInput if a password in shadow would not let the user log in, or another one would."""
    line = _single_entry("passwd", user, _entries("passwd", passwd, _PASSWD_FIELDS, (2, 3)))
    if line is None:
        raise BadInput("passwd", [Problem("", f"no user {user!r}")])
    if line.fields[1] != _SHADOWED:
        problem = f"the password field of {user!r} must be x, so that the password in shadow counts"
        raise BadInput("passwd", [Problem(line.place, problem)])


def open_accounts(passwd: bytes, shadow: bytes, replaced: str) -> tuple[str, ...]:
    """Users who can log in without a password, or with the empty one, as ``matches_empty_password`` finds it.
    ``replaced``: the user whose field in shadow is about to be replaced. The password field of passwd counts, even if
    it is empty, unless it is "x": then that of shadow counts (pam_unix(8), login(1)). Raises BadInput: malformed lines,
    or password fields of passwd that are neither empty, "x", "*" nor begin with "!" or "$"."""
    hidden = {
        line.fields[0]
        for line in _entries("shadow", shadow, _SHADOW_FIELDS, ())
        if matches_empty_password(line.fields[1])
    }
    hidden.discard(replaced.encode())
    lines = _entries("passwd", passwd, _PASSWD_FIELDS, (2, 3))
    unclear = [line for line in lines if not _PASSWD_PASSWORD.fullmatch(line.fields[1])]
    if unclear:
        message = "the password field must be x or *, or begin with ! or $"
        raise BadInput("passwd", [Problem(line.place, message) for line in unclear])
    found = [
        line.fields[0]
        for line in lines
        if _may_log_in(line.fields[6])
        and (matches_empty_password(line.fields[1]) or (line.fields[1] == _SHADOWED and line.fields[0] in hidden))
    ]
    return tuple(name.decode(errors="replace") for name in dict.fromkeys(found))


def _may_log_in(shell: bytes) -> bool:
    """An empty shell means /bin/sh."""
    return shell.strip().rpartition(b"/")[2] not in _NO_SHELLS


def _entries(source: str, content: bytes, count: int, numeric: tuple[int, ...]) -> tuple[_Line, ...]:
    """Lines with ``count`` fields, of which those in ``numeric`` are ids. Raises BadInput with all malformed lines,
    without their content, which may be secret."""
    problems: list[Problem] = []
    lines = []
    for line in _lines(content):
        wrong = _wrong(line.fields, count, numeric)
        if wrong:
            problems.append(Problem(line.place, wrong))
        else:
            lines.append(line)
    if problems:
        raise BadInput(source, problems)
    return tuple(lines)


def _lines(content: bytes) -> Iterator[_Line]:
    for number, text in enumerate(content.split(b"\n"), start=1):
        if text.strip() and text.lstrip()[:1] not in (b"#", b"+", b"-"):
            yield _Line(number, tuple(text.split(b":")))


def _wrong(fields: tuple[bytes, ...], count: int, numeric: tuple[int, ...]) -> str:
    if len(fields) != count:
        return f"must have {count} fields, has {len(fields)}"
    if not fields[0]:
        return "the name is empty"
    if not _NAME.fullmatch(fields[0]):
        return "the name must be letters, digits and _ . @ $ - only, without blanks around it"
    if any(b"\0" in field for field in fields):
        return "has a NUL character"
    for index in numeric:
        if not re.fullmatch(rb"[0-9]{1,10}", fields[index]) or int(fields[index]) > _MAX_ID:
            return f"field {index + 1} must be a number up to {_MAX_ID}"
    return ""


def _single_entry(source: str, name: str, lines: tuple[_Line, ...]) -> _Line | None:
    found = [line for line in lines if line.fields[0] == name.encode(errors="surrogateescape")]
    if len(found) > 1:
        places = ", ".join(line.place for line in found)
        raise BadInput(source, [Problem(places, f"{name!r} stands {len(found)} times")])
    return found[0] if found else None
