"""What the headings of a changelog mean: the names of `[Unreleased]`, and the types of change."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

import attrs

from kaizen_tasks.domain.changelog import CHANGE_TYPES
from kaizen_tasks.domain.changelog.wording.marks import names_breaking, without_breaking

_UNRELEASED_NAMES: Final = ("Unreleased", "Un-released", "Not released", "Not yet released", "Not released yet")
_INFLECTIONS: Final = {
    "Added": ("Add", "Adds", "Addition", "Additions"),
    "Deprecated": ("Deprecate", "Deprecates", "Deprecation", "Deprecations"),
    "Removed": ("Remove", "Removes", "Removal", "Removals"),
    "Fixed": ("Fix", "Fixes", "Bug fix", "Bug fixes", "Bugfix", "Bugfixes"),
}
"""Other forms of the types' names, which cannot mean anything else. `Changes` can: whatever has changed."""

_SYNONYMS: Final = {"Added": ("Feature", "Features", "New feature", "New features")}
"""Headings of another convention that are read as a type, and left as they are: https://www.conventionalcommits.org."""

_MAX_HEADING_LENGTH: Final = 100
_MAX_NAME_WORDS: Final = 5
_LEADING_DECORATION: Final = r"(?:<[^<>\n]*>|:[a-z0-9_+-]+:|[\W_])*"
_LAST_DECORATION: Final = r"(?:<[^<>\n]*>|:[a-z0-9_+-]+:|[^\w\u0300-\u036f]|_)\Z"
_WORD: Final = r"[^\s\-:,()\[\]*_`\u2013\u2014]+"
_PARTS: Final = r"[/|,;:&+()\[\]\u2013\u2014\uff08\uff09]|\s-\s|\band\b|\bangl\."
_QUALIFICATION: Final = r"\s*[(:,\u2013\u2014\uff08\uff1a]\s*|\s+-+\s+"
_FIRST_CJK_CHARACTER: Final = "\u2e80"


_TypeAndSpelling: TypeAlias = tuple[str | None, str]
_TypesByName: TypeAlias = dict[str, _TypeAndSpelling]
_NO_TYPE: Final[_TypeAndSpelling] = (None, "")


class TypeHeading(NamedTuple):
    """What a heading of entries means.

    Attributes:
        type: the type of change, or None.
        is_breaking: whether it says that the changes below it are breaking.
        spelling: the heading without spelling mistakes.
        is_qualified: whether it says more than that: `Fixed (parser)`.
    """

    type: str | None
    is_breaking: bool
    spelling: str
    is_qualified: bool = False


@attrs.frozen(kw_only=True)
class ChangelogFormat:
    """What an app's configuration says about the headings of its changelog, beside those that every changelog may have.

    Attributes:
        unreleased_names: further names of `[Unreleased]`, as they are written.
        type_names: pairs of a heading and the type of change that it stands for: one of the six, or a type of its own.
    """

    unreleased_names: tuple[str, ...] = ()
    type_names: tuple[tuple[str, str], ...] = ()

    @functools.cached_property
    def types(self) -> tuple[str, ...]:
        """Return the types of change in their order: the six, then the app's own."""
        types = {_key(change_type): change_type for change_type in CHANGE_TYPES}
        for _, change_type in self.type_names:
            types.setdefault(_key(change_type), change_type)
        return tuple(types.values())

    @functools.cached_property
    def _names(self) -> _TypesByName:
        types = {_key(change_type): change_type for change_type in self.types}
        names: _TypesByName = {key: (change_type, change_type) for key, change_type in types.items()}
        return names | {_key(name): (types[_key(change_type)], name) for name, change_type in self.type_names}

    def find_type(self, name: str) -> str | None:
        """Return the type of change of this name, in any published language and in any case, or None."""
        return self._find_exact_name(name)[0]

    def read_type_heading(self, name: str) -> TypeHeading:
        """Return what a heading of entries means: its type, in any published language, and whether it is breaking."""
        if name in CHANGE_TYPES:
            return TypeHeading(name, is_breaking=False, spelling=name)
        is_breaking = names_breaking(name)
        if len(name) > _MAX_HEADING_LENGTH or "\n" in name:
            return TypeHeading(None, is_breaking, name)
        change_type, spelling = self._names.get(_key(name), _NO_TYPE)
        if change_type:
            return TypeHeading(change_type, is_breaking or names_breaking(change_type), spelling)
        start, end = _core_span(name)
        change_type, spelling = self._find_name(name[start:end])
        if change_type:
            return TypeHeading(change_type, is_breaking, name[:start] + spelling + name[end:].rstrip(": "))
        change_type = self._type_of_parts(name)
        if change_type:
            return TypeHeading(change_type, is_breaking, name)
        qualified = re.split(_QUALIFICATION, without_breaking(name)[start:], maxsplit=1)
        change_type = self._find_name(qualified[0].strip())[0] if len(qualified) > 1 else None
        return TypeHeading(change_type, is_breaking, name, is_qualified=change_type is not None)

    def _find_name(self, text: str) -> _TypeAndSpelling:
        key = _key(text)
        return self._names.get(key) or _english_names().get(key) or self._find_exact_name(text)

    def _find_exact_name(self, text: str) -> _TypeAndSpelling:
        key = _key(text)
        return self._names.get(key) or _translated_names().get(text) or _translated_names().get(key) or _NO_TYPE

    def _type_of_parts(self, name: str) -> str | None:
        """Return the one type that all parts of a heading name: `Changed (breaking)`, `Added / Ajouté`."""
        parts = [part[slice(*_core_span(part))] for part in re.split(_PARTS, without_breaking(name))]
        types = {self._find_name(part)[0] for part in parts if part}
        return types.pop() if len(types) == 1 else None

    def nearest_type(self, name: str) -> str | None:
        """Return the only type of change that a name resembles; None for no or several types."""
        import difflib

        type_by_key = {_key(change_type): change_type for change_type in self.types}
        close_matches = difflib.get_close_matches(_key(name.rstrip(": ")), type_by_key, n=2, cutoff=0.75)
        return type_by_key[close_matches[0]] if len(close_matches) == 1 else None

    @functools.cached_property
    def _unreleased_keys(self) -> dict[str, frozenset[str]]:
        return _by_first_word((*_UNRELEASED_NAMES, *self.unreleased_names))

    def unreleased_length(self, text: str) -> int:
        """Return how many characters at the start of a text are a name of `[Unreleased]`; 0 for none."""
        return (_prefix_length(text, self._unreleased_keys) or _translated_prefix_length(text)) if text else 0


DEFAULT_FORMAT: Final = ChangelogFormat()
"""The format of an app that configures nothing."""


def _key(text: str) -> str:
    """Return a name in the form in which names are compared: without case, accents, hyphens and runs of white space."""
    if not text.isascii():
        import unicodedata

        characters = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in characters if unicodedata.category(letter) not in {"Mn", "Cf"})
    return " ".join(text.casefold().replace("-", " ").split())


def _core_span(text: str) -> tuple[int, int]:
    """Return the span of a heading without emoji, emphasis and punctuation at its ends."""
    decoration = re.match(_LEADING_DECORATION, text)
    start, end = decoration.end() if decoration else 0, len(text)
    last_decoration = re.compile(_LAST_DECORATION)
    while last := last_decoration.search(text, start, end):
        end = last.start()
    return start, end


@functools.cache
def _english_names() -> _TypesByName:
    """Return other forms of the types' names, synonyms, and typing errors."""
    names: _TypesByName = {_key(form): (name, name) for name, forms in _INFLECTIONS.items() for form in forms}
    names |= {_key(form): (name, form) for name, forms in _SYNONYMS.items() for form in forms}
    return {typo: (name, name) for name in CHANGE_TYPES for typo in _mistype(name.casefold())} | names


def _mistype(word: str) -> Iterator[str]:
    """Yield a word with two letters swapped, with a letter doubled, and with a letter in its middle left out.

    Another wrong letter can make another word: Mixed, Charged, Depreciated.
    """
    for position in range(len(word)):
        head, letter, tail = word[:position], word[position], word[position + 1 :]
        yield f"{head}{letter}{letter}{tail}"
        if tail:
            yield f"{head}{tail[0]}{letter}{tail[1:]}"
        if head and tail:
            yield head + tail


@functools.cache
def _translated_names() -> _TypesByName:
    from kaizen_tasks.domain.changelog.wording.translations import translations

    names: _TypesByName = {
        name: (change_type, name)
        for translation in translations()
        for change_type, names in translation.types.items()
        for name in names
    }
    return {_key(name): type_name for name, type_name in names.items()} | names  # two names may differ by accents only


@functools.cache
def _translated_unreleased_names() -> tuple[str, ...]:
    from kaizen_tasks.domain.changelog.wording.translations import translations

    return tuple(name for translation in translations() for name in translation.unreleased)


@functools.cache
def _translated_unreleased_keys() -> dict[str, frozenset[str]]:
    return _by_first_word(_translated_unreleased_names())


def _translated_prefix_length(text: str) -> int:
    length = _prefix_length(text, _translated_unreleased_keys())
    if text[:1] < _FIRST_CJK_CHARACTER:
        return 0 if text[length:].lstrip()[:1].isalnum() else length  # "What is new in 2.0" is a release
    names = _translated_unreleased_names()  # there are no spaces between these words
    return max((len(name) for name in names if text.startswith(name)), default=0)


def _by_first_word(names: Iterable[str]) -> dict[str, frozenset[str]]:
    keys: dict[str, set[str]] = {}
    for key in map(_key, names):
        keys.setdefault(key.partition(" ")[0], set()).add(key)
    return {word: frozenset(members) for word, members in keys.items()}


def _prefix_length(text: str, keys: dict[str, frozenset[str]]) -> int:
    """Return the length of the longest name at the start of a text."""
    text = text[:_MAX_HEADING_LENGTH]
    words = list(re.finditer(_WORD, text))
    if not words or ("/" not in text and _key(words[0][0]) not in keys):
        return 0
    ends = [word.end() for word in words]
    for end in reversed(ends[:_MAX_NAME_WORDS]):
        for name in text[:end].split("/"):
            key = _key(name.strip())
            if key in keys.get(key.partition(" ")[0], ()):
                return end
    return 0
