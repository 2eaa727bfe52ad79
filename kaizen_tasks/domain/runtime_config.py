"""The app's runtime configuration: what may be set to what, what of it people may see, and what would change."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.json_document import NUMBERS, Configuration
from kaizen_tasks.errors import UsageError

KINDS = ("number", "integer", "choice", "string")
REDACTED = "[redacted]"

LONGEST = 64 * 1024
"""Bytes of the whole document: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html."""

SHOWN = 200
"""Characters that are shown of a value."""


@frozen(kw_only=True)
class Key:
    """What a value may be.

    Attributes:
        type: `number`, `integer`, `choice` or `string`.
        min: the least number; None for no bound.
        max: the greatest number; None for no bound.
        choices: the texts that a choice may be.
    """

    type: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def sample(self) -> str:
        """A value that it may have, where there is no better one."""
        if self.type == "choice":
            return self.choices[0]
        if self.type == "string":
            return "sample"
        least = max(self.min or 0, 0)
        return f"{least if self.max is None else min(least, self.max):g}"

    def fault(self, text: str) -> str:
        """Return what is wrong with a value, without repeating it; empty when nothing is."""
        if self.type == "choice":
            return "" if text in self.choices else f"should be one of {', '.join(self.choices)}"
        if self.type in NUMBERS:
            return self._fault_of_number(text)
        return "contains a NUL character" if "\0" in text else ""

    def _fault_of_number(self, text: str) -> str:
        if not NUMBERS[self.type].fullmatch(text):
            return "should be a whole number" if self.type == "integer" else "should be a number, such as 0.4"
        if self.min is not None and float(text) < self.min:
            return f"is below {self.min:g}"
        if self.max is not None and float(text) > self.max:
            return f"is above {self.max:g}"
        return ""

    def same(self, one: str, other: str) -> bool:
        """Return whether two texts mean the same value."""
        pattern = NUMBERS.get(self.type)
        if pattern and pattern.fullmatch(one) and pattern.fullmatch(other):
            return float(one) == float(other)
        return one == other


@frozen(kw_only=True)
class RuntimeRules:
    """Where the runtime configuration is, and what of it these tasks may show and change.

    Attributes:
        secret: name of each environment's secret; `{env}` and `{app}` are filled in.
        visible: keys whose values are no secrets.
        keys: what can be set, by name; what else the document holds stays as it is.
    """

    secret: str
    visible: tuple[str, ...]
    keys: Mapping[str, Key]

    def check(self, name: str, text: str) -> None:
        """Accept a value for a key.

        Raises:
            UsageError: there is no such key, or it may not have this value; which is not repeated.
        """
        if name not in self.keys:
            raise self._unknown(name)
        fault = self.keys[name].fault(text)
        if not fault and len(text.encode()) > LONGEST:
            fault = f"is longer than the {LONGEST:,} bytes that a secret may have"
        if fault:
            raise UsageError(f"{name}: the value {fault}", state="nothing has been changed")

    def _unknown(self, name: str) -> UsageError:
        near = difflib.get_close_matches(name, self.keys, n=1)
        known = f"known: {', '.join(self.keys)}" if self.keys else "none is: add [runtime.keys.NAME] to kaizen.toml"
        hint = f"did you mean {near[0]}?" if near else known
        return UsageError(f"{shown(name)} is not in [runtime.keys]", state="nothing has been changed", hint=hint)

    def key(self, name: str) -> Key:
        """Return what a value may be; where nothing is said of it, any text."""
        return self.keys.get(name, Key(type="string"))

    def hint(self, name: str, text: str | None) -> str:
        """Return a value as people may see it."""
        if text is None:
            return "unset"
        return shown(text) if name in self.visible else REDACTED


@frozen(kw_only=True)
class Change:
    """One value that becomes another one.

    Attributes:
        name: the key's.
        before: how people may see the old value.
        after: how people may see the new one.
    """

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.before} → {self.after}"


def changes(configuration: Configuration, values: Mapping[str, str], rules: RuntimeRules) -> tuple[Change, ...]:
    """Return what would change, with secrets masked; nothing for values that mean the same as those there are."""
    found = []
    for name, after in values.items():
        before = configuration.value(name)
        if before is None or not rules.key(name).same(before, after):
            found.append(Change(name=name, before=rules.hint(name, before), after=rules.hint(name, after)))
    return tuple(found)


def comparison(one: Configuration, other: Configuration, rules: RuntimeRules) -> Mapping[str, bool]:
    """Return for every name whether two documents agree, in the order of the first, then of the second."""

    def same(name: str) -> bool:
        here, there = one.value(name), other.value(name)
        if here is None or there is None:
            return False
        return rules.key(name).same(here, there)

    return {name: same(name) for name in dict.fromkeys((*one.names, *other.names))}


def way_back(now: Configuration, then: Configuration, rules: RuntimeRules) -> tuple[Change, ...]:
    """Return what would change if an older document counted again, with secrets masked."""
    return tuple(
        Change(name=name, before=rules.hint(name, now.value(name)), after=rules.hint(name, then.value(name)))
        for name, same in comparison(now, then, rules).items()
        if not same
    )


@frozen(kw_only=True)
class Seen:
    """An environment's runtime configuration, as it was read.

    Attributes:
        environment: whose.
        version: identifier of the version that counts.
        written: when that was written, in UTC.
        configuration: what it says.
        before: what the version before says; None when there is none.
    """

    environment: Environment
    version: str
    written: datetime
    configuration: Configuration
    before: Configuration | None

    def is_new(self, name: str) -> bool:
        """Return whether a value was written with the version that counts; otherwise it is older."""
        return self.before is None or self.before.value(name) != self.configuration.value(name)


def shown(text: str) -> str:
    """Return what a terminal may show: without control characters, which it would obey, and not endless."""
    return "".join(each if each.isprintable() else "?" for each in text[:SHOWN])
