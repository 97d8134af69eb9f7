"""Which passwords the factory server makes: a rule for each kind, and other rules for platforms by code name.

[bios]                      # all units; what is not stated is the default
length = 10

[platform."X7".ipmi]        # units with this code name; what is not stated is as for all units
length = 16
alphabet = "abcdefghjkmnpqrstuvwx23456789"
require = ["lower", "digit"]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gprov.domain.factory.password_rule import CharacterClass, PasswordKind, PasswordRule, rule_problems
from gprov.domain.factory.syntax import MAX_NAME
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish
from gprov.domain.formats.json.toml import read_table

Rules = Mapping[PasswordKind, PasswordRule]

_PLATFORM = "platform"
_CLASSES = {kind.value: kind for kind in CharacterClass}
DEFAULT_RULES: Rules = {
    PasswordKind.OS: PasswordRule(20),
    # BIOS setups take between 8 and 32 characters, most 20.
    PasswordKind.BIOS: PasswordRule(12),
    # IPMI 1.5 keeps 16 bytes of a password, IPMI 2.0 20; a longer one is refused or silently cut.
    PasswordKind.IPMI: PasswordRule(16),
}


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """``platforms``: rules of those code names that have any of their own."""

    rules: Rules = field(default_factory=lambda: DEFAULT_RULES)
    platforms: Mapping[str, Rules] = field(default_factory=dict)

    def rules_for(self, code_name: str) -> Rules:
        return self.platforms.get(code_name, self.rules)


def parse_policy(source: str, data: bytes) -> PasswordPolicy:
    """``source``: the file's name. Raises BadInput with every problem, weak and impossible passwords included."""
    root = read_table(source, data)
    _require_known(root, [*(kind.value for kind in PasswordKind), _PLATFORM])
    rules = _rules(root, DEFAULT_RULES)
    platforms = {}
    named = root.object(_PLATFORM)
    for name in named.keys() if named else ():
        own = named.object(name) if named else None
        if own is None:
            continue
        if not name.strip() or len(name) > MAX_NAME:
            own.problem("", f"must be a code name of 1 to {MAX_NAME} characters")
        _require_known(own, [kind.value for kind in PasswordKind])
        platforms[name] = _rules(own, rules)
    return finish(source, root, PasswordPolicy(rules, platforms))


def _rules(table: JsonObject, base: Rules) -> Rules:
    return {kind: _rule(table, kind, base[kind]) for kind in PasswordKind}


def _rule(table: JsonObject, kind: PasswordKind, base: PasswordRule) -> PasswordRule:
    stated = table.object(kind.value)
    if stated is None:
        return base
    _require_known(stated, ["length", "alphabet", "require"])
    noted = len(stated.problems)
    rule = PasswordRule(
        length=stated.integer("length", base.length),
        alphabet=stated.text("alphabet", base.alphabet),
        required=_required(stated) if stated.has("require") else base.required,
    )
    if len(stated.problems) > noted:
        return base
    for key, message in rule_problems(kind, rule):
        stated.problem(key, message)
    return rule


def _required(stated: JsonObject) -> tuple[CharacterClass, ...]:
    words = stated.texts("require")
    for index, word in enumerate(words):
        if word not in _CLASSES:
            stated.problem(f"require[{index}]", f"unknown value {word!r}; known: {', '.join(_CLASSES)}")
    return tuple(_CLASSES[word] for word in words if word in _CLASSES)


def _require_known(table: JsonObject, known: Iterable[str]) -> None:
    """A misspelt key would leave a default in force."""
    names = list(known)
    for key in table.keys():
        if key not in names:
            table.problem(key, f"is not a key of this table; known: {', '.join(names)}")
