"""One fragment: a file whose whole text is one entry, with or without a bullet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.domain.changelog.entries import dedent_line
from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.fragments import names
from kaizen_tasks.domain.changelog.markdown.blocks import Block, fenced_lines, is_comment, parse_blocks
from kaizen_tasks.domain.changelog.markdown.lines import BOM, find_decode_error, split_lines
from kaizen_tasks.domain.changelog.wording.marks import is_placeholder

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem  # noqa: TC004 - slow to import, and rarely needed

_PARAGRAPH_LINE = re.compile(r"(?:[^\W\d_]|\*\*(?=[^\s*])|`(?!`)).*")
_OTHER_SUFFIX = re.compile(r"\.(?:rst|txt|markdown)$", re.IGNORECASE)
_SUGGESTIONS = {
    "feature": "added", "feat": "added", "new": "added", "enhancement": "changed", "improvement": "changed",
    "change": "changed", "misc": "changed", "bugfix": "fixed", "bug": "fixed", "fix": "fixed",
    "removal": "removed", "deprecation": "deprecated", "vulnerability": "security",
}  # fmt: skip
"""The types of towncrier, scriv, changie and conventional commits, which difflib does not find."""


@attrs.frozen(kw_only=True)
class Fragment:
    """An entry that the next release will contain.

    Attributes:
        path: path of the file, relative to the app's folder.
        change_type: the type of change.
        lines: the entry as written, without bullet, and without the indentation of an item.
        line: number of the entry's first line in the file.
    """

    path: str
    change_type: str
    lines: tuple[str, ...]
    line: int


@attrs.frozen(kw_only=True)
class Fragments:
    """All fragments in the order in which they are folded, and every problem of the folder."""

    items: tuple[Fragment, ...] = ()
    problems: tuple[LintProblem, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of the fragments."""
        return tuple(fragment.path for fragment in self.items)


def parse_fragments(contents: Mapping[str, bytes], changelog_format: ChangelogFormat = DEFAULT_FORMAT) -> Fragments:
    """Parse the files of the folder of fragments; those that are obviously no fragments are left alone.

    Args:
        contents: the files by path, relative to the app's folder.
        changelog_format: the types of change.
    """
    items: list[Fragment] = []
    problems: list[LintProblem] = []
    for path in sorted(contents, key=names.sort_key):
        parser = _FragmentParser(path, contents[path], changelog_format)
        file_problems = tuple(parser.problems())
        problems += file_problems
        if not file_problems and parser.change_type:
            items.append(parser.fragment())
    items.sort(key=lambda fragment: changelog_format.types.index(fragment.change_type))
    return Fragments(items=tuple(items), problems=tuple(problems))


class _FragmentParser:
    def __init__(self, path: str, content: bytes, changelog_format: ChangelogFormat) -> None:
        self.path, self.content, self.changelog_format = path, content, changelog_format
        self.file_name = PurePosixPath(path).name
        self.name = names.parse_name(self.file_name)
        self.change_type = find_type(self.name.type_name, changelog_format) if self.name else None
        self.texts: tuple[str, ...] = ()
        self.entry: tuple[Block, ...] = ()

    def problems(self) -> Iterator[LintProblem]:
        """Parse the file; yield its problems, those of its name first."""
        if not self.change_type:
            if not names.is_left_alone(self.file_name):
                yield self._name_problem()
            return
        if position := find_decode_error(self.content):
            line, column = position
            yield self._problem("not-utf8", "this byte is not UTF-8", "save the file as UTF-8", line, column)
            return
        self.texts = split_lines(self.content.removeprefix(BOM)).texts
        yield from self._content_problems()

    def fragment(self) -> Fragment:
        """Return the fragment of a file without problems."""
        assert self.change_type
        first, end = self.entry[0].first_line, _content_end(self.texts, self.entry[-1])
        return Fragment(
            path=self.path,
            change_type=self.change_type,
            lines=self._item_lines(first, end) if self.entry[0].kind == "item" else self._text_lines(first, end),
            line=first + 1,
        )

    def _content_problems(self) -> Iterator[LintProblem]:
        structure = None if _is_paragraph(self.texts) else parse_blocks(self.texts)
        if structure is None:
            blocks: tuple[Block, ...] = (Block(kind="text", first_line=0, end_line=len(self.texts)),)
        else:
            blocks = tuple(block for block in structure.blocks if not is_comment(block, self.texts))
            for definition in structure.definitions:
                fix = f"write the link into the text: [{definition.label}](https://…)"
                yield self._block_problem(
                    "fragment-link", "a link definition would hold for the whole changelog", fix, definition.first_line
                )
        for block in blocks:
            if block.kind == "heading":
                fix = "delete it: the type of change is in the file's name"
                yield self._block_problem(
                    "fragment-heading", f"a heading, {block.text!r}, in a fragment", fix, block.first_line
                )
            elif block.kind == "rule":
                fix = "delete it: a fragment has no front matter"
                yield self._block_problem("fragment-rule", "a horizontal rule in a fragment", fix, block.first_line)
        self.entry = tuple(block for block in blocks if block.kind not in {"heading", "rule"})
        yield from self._entry_problems()

    def _entry_problems(self) -> Iterator[LintProblem]:
        text = "\n".join(self.texts[self.entry[0].first_line : self.entry[-1].end_line]) if self.entry else ""
        if not text.strip(" \t\n-*+") or is_placeholder(text):
            yield self._problem("fragment-empty", "the fragment has no entry", "write the entry, or delete the file")
        elif self.entry[0].kind == "item" and len(self.entry) > 1:
            second = self.entry[1]
            if second.kind == "item":
                message, fix = "a second entry in one fragment", "move it to a fragment of its own"
            else:
                message, fix = "text below the entry, outside of it", "indent it like the entry, or delete it"
            yield self._block_problem("fragment-entries", message, fix, second.first_line)

    def _item_lines(self, first: int, end: int) -> tuple[str, ...]:
        item, fenced = self.entry[0], fenced_lines(self.texts)
        others = (
            _dedent(self.texts[number], item.indent, is_code=number in fenced) for number in range(first + 1, end)
        )
        return self.texts[first][item.content_start :], *others

    def _text_lines(self, first: int, end: int) -> tuple[str, ...]:
        fenced = fenced_lines(self.texts)
        others = (_dedent(self.texts[number], 0, is_code=number in fenced) for number in range(first + 1, end))
        return self.texts[first].lstrip(" \t"), *others

    def _name_problem(self) -> LintProblem:
        name = self.name or names.parse_name(f"{_OTHER_SUFFIX.sub('', self.file_name)}{names.SUFFIX}")
        change_type = suggest_type(name.type_name, self.changelog_format) if name else ""
        better_name = f"{name.slug}.{change_type}{names.SUFFIX}" if name and change_type else ""
        if not self.name:
            fix = f"name it {better_name or '<slug>.<type>.md, such as 123.fixed.md'}, or move it away"
            return self._problem("fragment-name", "this is no fragment", fix)
        types = ", ".join(map(names.type_slug, self.changelog_format.types))
        fix = f"did you mean {better_name}?" if better_name else f"use one of {types}"
        return self._problem("fragment-type", f"{self.name.type_name!r} is not a type of change", fix)

    def _block_problem(self, rule: str, message: str, fix: str, line: int) -> LintProblem:
        text = self.texts[line]
        return self._problem(rule, message, fix, line + 1, len(text) - len(text.lstrip(" \t")) + 1)

    def _problem(self, rule: str, message: str, fix: str, line: int = 1, column: int = 1) -> LintProblem:
        from kaizen_tasks.domain.changelog.lint.problem import LintProblem

        return LintProblem(path=self.path, line=line, column=column, rule=rule, message=message, fix=fix)


def find_type(type_name: str, changelog_format: ChangelogFormat) -> str | None:
    """Return the type of change that a file name ends with, which may have hyphens for spaces, or None."""
    slug = names.type_slug(type_name)
    own_types = (change_type for change_type in changelog_format.types if names.type_slug(change_type) == slug)
    return (
        changelog_format.find_type(type_name)
        or changelog_format.find_type(slug.replace("-", " "))
        or next(own_types, None)
    )


def suggest_type(type_name: str, changelog_format: ChangelogFormat) -> str:
    """Return a type for a name: itself, one that it resembles or corresponds to, or an empty string."""
    import difflib

    if find_type(type_name, changelog_format):
        return type_name
    slug, types = names.type_slug(type_name), [*map(names.type_slug, changelog_format.types)]
    matches = difflib.get_close_matches(slug, types, n=1)
    return matches[0] if matches else _SUGGESTIONS.get(slug, "")


def _is_paragraph(texts: tuple[str, ...]) -> bool:
    """Return whether lines are one plain paragraph, which is certain without parsing Markdown."""
    return bool(texts) and all(map(_PARAGRAPH_LINE.fullmatch, texts))


def _content_end(texts: tuple[str, ...], block: Block) -> int:
    """Return the number of the line after the last one of a block that is not blank."""
    end = block.end_line
    while end > block.first_line + 1 and not texts[end - 1].strip(" \t"):
        end -= 1
    return end


def _dedent(text: str, indent: int, *, is_code: bool) -> str:
    """Return a line without up to `indent` columns at its start; tabs there become spaces, except in fenced code."""
    if is_code and text[:indent] == " " * indent:
        return text[indent:]
    return dedent_line(text, indent)
