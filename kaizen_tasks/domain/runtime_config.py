"""The app's runtime configuration: what may be set to what, what of it people may see, and what would change."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.json_document import NUMBER_PATTERNS, ConfigDocument
from kaizen_tasks.errors import NOTHING_CHANGED, UsageError

KEY_TYPES = ("number", "integer", "choice", "string")
REDACTED = "[redacted]"

MAX_DOCUMENT_BYTES = 64 * 1024
"""Bytes of the whole document: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html."""

MAX_DISPLAY_LENGTH = 200
"""Characters that are shown of a value."""


@frozen(kw_only=True)
class KeyRule:
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
    def sample_value(self) -> str:
        """A value that it may have, where there is no better one."""
        if self.type == "choice":
            return self.choices[0]
        if self.type == "string":
            return "sample"
        minimum = max(self.min or 0, 0)
        return f"{minimum if self.max is None else min(minimum, self.max):g}"

    def validation_error(self, text: str) -> str:
        """Return what is wrong with a value, without repeating it; empty when nothing is."""
        if self.type == "choice":
            return "" if text in self.choices else f"should be one of {', '.join(self.choices)}"
        if self.type in NUMBER_PATTERNS:
            return self._number_error(text)
        return "contains a NUL character" if "\0" in text else ""

    def _number_error(self, text: str) -> str:
        if not NUMBER_PATTERNS[self.type].fullmatch(text):
            return "should be a whole number" if self.type == "integer" else "should be a number, such as 0.4"
        if self.min is not None and float(text) < self.min:
            return f"is below {self.min:g}"
        if self.max is not None and float(text) > self.max:
            return f"is above {self.max:g}"
        return ""

    def means_same(self, first: str, second: str) -> bool:
        """Return whether two texts mean the same value."""
        pattern = NUMBER_PATTERNS.get(self.type)
        if pattern and pattern.fullmatch(first) and pattern.fullmatch(second):
            return float(first) == float(second)
        return first == second


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
    keys: Mapping[str, KeyRule]

    def validate(self, name: str, text: str) -> None:
        """Accept a value for a key.

        Raises:
            UsageError: there is no such key, or it may not have this value; which is not repeated.
        """
        if name not in self.keys:
            raise self._unknown_key_error(name)
        error = self.keys[name].validation_error(text)
        if not error and len(text.encode()) > MAX_DOCUMENT_BYTES:
            error = f"is longer than the {MAX_DOCUMENT_BYTES:,} bytes that a secret may have"
        if error:
            raise UsageError(f"{name}: the value {error}", state=NOTHING_CHANGED)

    def _unknown_key_error(self, name: str) -> UsageError:
        close_matches = difflib.get_close_matches(name, self.keys, n=1)
        known_keys = (
            f"known: {', '.join(self.keys)}" if self.keys else "none is: add [runtime.keys.NAME] to kaizen.toml"
        )
        hint = f"did you mean {close_matches[0]}?" if close_matches else known_keys
        return UsageError(
            f"{sanitize_value(name)} is not in [runtime.keys]", state=NOTHING_CHANGED, hint=hint
        )

    def rule_for(self, name: str) -> KeyRule:
        """Return what a value may be; where nothing is said of it, any text."""
        return self.keys.get(name, KeyRule(type="string"))

    def display_value(self, name: str, text: str | None) -> str:
        """Return a value as people may see it."""
        if text is None:
            return "unset"
        return sanitize_value(text) if name in self.visible else REDACTED


@frozen(kw_only=True)
class ValueChange:
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


def value_changes(document: ConfigDocument, values: Mapping[str, str], rules: RuntimeRules) -> tuple[ValueChange, ...]:
    """Return what would change, with secrets masked; nothing for values that mean the same as those there are."""
    differences = []
    for name, after in values.items():
        before = document.value(name)
        if before is None or not rules.rule_for(name).means_same(before, after):
            differences.append(
                ValueChange(name=name, before=rules.display_value(name, before), after=rules.display_value(name, after))
            )
    return tuple(differences)


def compare_documents(first: ConfigDocument, second: ConfigDocument, rules: RuntimeRules) -> Mapping[str, bool]:
    """Return for every name whether two documents agree, in the order of the first, then of the second."""

    def is_equal(name: str) -> bool:
        first_value, second_value = first.value(name), second.value(name)
        if first_value is None or second_value is None:
            return False
        return rules.rule_for(name).means_same(first_value, second_value)

    return {name: is_equal(name) for name in dict.fromkeys((*first.names, *second.names))}


def revert_changes(current: ConfigDocument, previous: ConfigDocument, rules: RuntimeRules) -> tuple[ValueChange, ...]:
    """Return what would change if an older document counted again, with secrets masked."""
    return tuple(
        ValueChange(
            name=name,
            before=rules.display_value(name, current.value(name)),
            after=rules.display_value(name, previous.value(name)),
        )
        for name, is_equal in compare_documents(current, previous, rules).items()
        if not is_equal
    )


@frozen(kw_only=True)
class RuntimeConfigView:
    """An environment's runtime configuration, as it was read.

    Attributes:
        environment: whose.
        version_id: identifier of the version that counts.
        written_at: when that was written, in UTC.
        document: what it says.
        previous_document: what the version before says; None when there is none.
    """

    environment: Environment
    version_id: str
    written_at: datetime
    document: ConfigDocument
    previous_document: ConfigDocument | None

    def is_new(self, name: str) -> bool:
        """Return whether a value was written with the version that counts; otherwise it is older."""
        return self.previous_document is None or self.previous_document.value(name) != self.document.value(name)


def sanitize_value(text: str) -> str:
    """Return what a terminal may show: without control characters, which it would obey, and not endless."""
    return "".join(character if character.isprintable() else "?" for character in text[:MAX_DISPLAY_LENGTH])
