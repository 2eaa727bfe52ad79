"""A place where a file repeats VERSION: found by a key or by a pattern, and replaced without touching another byte."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from kaizen_tasks.domain.changelog.edit import TextEdit, apply_edits
from kaizen_tasks.domain.changelog.markdown.lines import BOM
from kaizen_tasks.domain.version_files import spelling
from kaizen_tasks.errors import Refused

if TYPE_CHECKING:
    from semver import Version

NPM_LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json")
NPM_PACKAGE = ("packages", "", "version")
"""Where npm's lock files have the version a second time, since npm 7."""

_VERSION = rb"\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*|(?:a|b|rc|\.dev|\.post)\d+)*"
_KEY_VALUE = re.compile(r"(?P<prefix>v?)(?P<version>[^+]*)(\+.*)?", re.DOTALL)
"""A value: `v` and build metadata, such as the build number of an app for phones, stay as they are."""


@frozen(kw_only=True)
class VersionPlace:
    """A version in a file, as offsets of bytes, with the line and the column where it begins."""

    start: int
    end: int
    text: str
    line: int
    column: int


@frozen(kw_only=True)
class VersionField:
    """What says where a file repeats VERSION.

    Attributes:
        path: path of the file.
        key: key of the version in the file; empty for a pattern.
        pattern: text around each version, with `{version}` in its place; empty for a key.
        spelling: how versions are spelled in the file; empty for the usual way of such files.
    """

    path: str
    key: str = ""
    pattern: str = ""
    spelling: str = ""

    @property
    def name(self) -> str:
        """What to call the place in messages."""
        return self.key or f"the version in {self.pattern!r}"

    def find(self, content: bytes) -> tuple[VersionPlace, ...]:
        """Return all places of the version in the file, in their order.

        Raises:
            Refused: there is none.
        """
        return _find(self, content)

    def spans(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Yield start and end of each place; see `find`."""
        return self._key_spans(content) if self.key else self._pattern_spans(content)

    def has(self, version: Version, place: VersionPlace) -> bool:
        """Return whether a place has a version, in the spelling of the file or in that of VERSION."""
        return place.text in {str(version), spelling.spell(version, self._spelling)}

    def replace(self, content: bytes, version: Version) -> bytes:
        """Return the file with another version.

        Raises:
            Refused: there is no place for it, or it cannot be spelled.
        """
        text = spelling.spell(version, self._spelling).encode()
        places = self.find(content)
        return apply_edits(content, [TextEdit(start=each.start, end=each.end, replacement=text) for each in places])

    def is_fixable(self, places: Sequence[VersionPlace]) -> bool:
        """Return whether all places have one version, though a wrong one; else some may be of something else."""
        texts = {place.text for place in places}
        return len(texts) == 1 and re.fullmatch(_VERSION.decode(), texts.pop()) is not None

    @property
    def _spelling(self) -> str:
        return self.spelling or spelling.spelling_of(self.path)

    def _pattern_spans(self, content: bytes) -> Iterator[tuple[int, int]]:
        before, after = (re.escape(part).replace("\\\n", r"\r?\n").encode() for part in self.pattern.split("{version}"))
        start = before or rb"(?<![\w.])"
        end = after or rb"(?![\w]|\.\d)"
        matches = list(re.finditer(start + b"(" + _VERSION + b")" + end, content))
        if not matches:
            hint = f"correct the file, or pattern = {self.pattern!r} under [[version_files]] in kaizen.toml"
            raise Refused(f"{self.path} has nothing like {self.pattern!r}", hint=hint)
        yield from (match.span(1) for match in matches)

    def _key_spans(self, content: bytes) -> Iterator[tuple[int, int]]:
        from kaizen_tasks.domain.version_files import documents

        parse = documents.find_parser(self.path)
        assert parse is not None, "the configuration was checked"
        names, text = documents.parse_key(self.key), self._decode(content)
        document = self._parse(parse, text)
        keys = [names]
        if self.path.rpartition("/")[2] in NPM_LOCK_FILES and names == ("version",) and _has(document, NPM_PACKAGE):
            keys.append(NPM_PACKAGE)
        bom_size = len(content) - len(text.encode())
        for key in keys:
            value = self._look_up(document, key)
            span = documents.find_span(text, key, value, parse)
            if span is None:
                hint = f"write it there as it is, without escapes: {value}"
                raise Refused(f"{self.path}: the text of {self.key} cannot be found", hint=hint)
            match = _KEY_VALUE.fullmatch(value)
            assert match is not None
            start, end = (len(text[: span[0] + offset].encode()) + bom_size for offset in match.span("version"))
            yield start, end

    def _decode(self, content: bytes) -> str:
        try:
            return content.removeprefix(BOM).decode()
        except UnicodeDecodeError as error:
            raise Refused(f"{self.path} is not UTF-8 at byte {error.start}", hint=self._pattern_hint) from error

    def _parse(self, parse: Any, text: str) -> Any:
        try:
            return parse(text)
        except (ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise Refused(f"{self.path} cannot be parsed: {reason}", hint=self._pattern_hint) from error

    def _look_up(self, document: Any, names: tuple[str, ...]) -> str:
        from kaizen_tasks.domain.version_files import documents

        try:
            value = documents.look_up(document, names)
        except LookupError:
            raise Refused(
                f"{self.path} has no {self.key}{_suggestion(document, self.key)}", hint=self._key_hint
            ) from None
        if not isinstance(value, str):
            raise Refused(f"{self.path}: {self.key} is no text", hint=self._key_hint)
        return value

    @property
    def _key_hint(self) -> str:
        return f'correct the file, or key = "{self.key}" under [[version_files]] in kaizen.toml'

    @property
    def _pattern_hint(self) -> str:
        return f"correct it, or write pattern = 'TEXT {{version}}' in place of key = \"{self.key}\" in kaizen.toml"


def _has(document: Any, names: tuple[str, ...]) -> bool:
    from kaizen_tasks.domain.version_files import documents

    try:
        return isinstance(documents.look_up(document, names), str)
    except LookupError:
        return False


def _suggestion(document: Any, key: str) -> str:
    """Return the key in a document that has the same last name as another one, or else is like it, as a question."""
    keys = list(_text_keys(document))
    names_alike = [each for each in keys if each.rpartition(".")[2] == key.rpartition(".")[2]]
    matches = names_alike or difflib.get_close_matches(key, keys, n=1)
    return f"; did you mean {matches[0]}?" if matches else ""


def _text_keys(document: Any, prefix: str = "", depth: int = 3) -> Iterator[str]:
    for name, value in document.items() if isinstance(document, dict) and depth else ():
        quoted = f'"{name}"' if not name or "." in name else name
        if isinstance(value, str):
            yield f"{prefix}{quoted}"
        else:
            yield from _text_keys(value, f"{prefix}{quoted}.", depth - 1)


@lru_cache(maxsize=16)  # steps ask again and again, and lock files are large
def _find(field: VersionField, content: bytes) -> tuple[VersionPlace, ...]:
    return tuple(_place(content, start, end) for start, end in sorted(set(field.spans(content))))


def _place(content: bytes, start: int, end: int) -> VersionPlace:
    line_start = content.rfind(b"\n", 0, start) + 1
    column = len(content[line_start:start].decode(errors="replace")) + 1
    return VersionPlace(
        start=start, end=end, text=content[start:end].decode(), line=content.count(b"\n", 0, start) + 1, column=column
    )
