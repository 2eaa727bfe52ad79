"""Splits a Dockerfile into instructions: directives, comments, continued lines, flags and here-documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from attrs import evolve, frozen

from kaizen_tasks.domain.dockerfile.words import split_words

DIRECTIVE = re.compile(r"#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*")
COMMENT = re.compile(r"[ \t]*#")
FLAG = re.compile(r"--([a-zA-Z][a-zA-Z0-9-]*)(?:=(.*))?", re.DOTALL)
HERE_DOCUMENT = re.compile(r"\d*<<(-?)([^<]+)")
HERE_DOCUMENT_KEYWORDS = ("ADD", "COPY", "RUN")
DEFAULT_ESCAPE = "\\"


@frozen(kw_only=True)
class Instruction:
    """One instruction, as it is written.

    Attributes:
        line: number of its first line, from 1.
        keyword: `FROM`, `RUN`, in capital letters.
        text: what follows the keyword and its flags, on one line; variables are not replaced.
        flags: names without hyphens and values of flags such as `--from=builder`, in order; a flag may be repeated.
        here_documents: contents of its here-documents, in order.
    """

    line: int
    keyword: str
    text: str
    flags: tuple[tuple[str, str], ...] = ()
    here_documents: tuple[str, ...] = ()

    def flag_values(self, name: str) -> tuple[str, ...]:
        """Return the values of a flag, in order; an empty text for a flag without a value."""
        return tuple(value for flag, value in self.flags if flag == name)

    @property
    def json_words(self) -> tuple[str, ...] | None:
        """The words of the exec form, a JSON array of strings; None for the shell form."""
        try:
            words = json.loads(self.text)
        except ValueError:
            return None
        return tuple(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


@frozen(kw_only=True)
class SourceLines:
    """The lines of a Dockerfile, and the directives above them.

    Attributes:
        lines: all lines, without line ends.
        directives: values of the directives, by name in small letters: `syntax`, `escape`, `check`.
    """

    lines: tuple[str, ...]
    directives: Mapping[str, str]

    @property
    def escape(self) -> str:
        """The character that continues a line and protects the next character."""
        character = self.directives.get("escape", DEFAULT_ESCAPE)
        return character if character in {"`", DEFAULT_ESCAPE} else DEFAULT_ESCAPE


def read_lines(text: str) -> SourceLines:
    """Split a Dockerfile into lines, and read its directives."""
    lines = tuple(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"))
    directives: dict[str, str] = {}
    for line in lines:
        match = DIRECTIVE.fullmatch(line)
        if match is None or match[1].lower() in directives:
            break
        directives[match[1].lower()] = match[2]
    return SourceLines(lines=lines, directives=directives)


def split_instructions(source: SourceLines) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile, in order."""
    escape = re.escape(source.escape)
    continuation = re.compile(rf"(?<!{escape}){escape}[ \t]*$")
    numbered_lines = iter(enumerate(source.lines, start=1))
    for number, line in numbered_lines:
        if not line.strip() or COMMENT.match(line):
            continue
        text = _join_continued(line, numbered_lines, continuation)
        instruction = parse_instruction(text, number, source.escape)
        if instruction.keyword in HERE_DOCUMENT_KEYWORDS:
            contents = tuple(_read_here_documents(instruction.text, numbered_lines, source.escape))
            instruction = evolve(instruction, here_documents=contents)
        yield instruction


def parse_instruction(text: str, line: int, escape: str) -> Instruction:
    """Return the instruction on one logical line."""
    keyword, operands = _cut_word(text)
    flags: list[tuple[str, str]] = []
    while match := FLAG.fullmatch(_first_word(operands, escape)):
        flags.append((match[1], match[2] or ""))
        operands = operands[len(match[0]) :].lstrip()
    return Instruction(line=line, keyword=keyword.upper(), text=operands, flags=tuple(flags))


def _cut_word(text: str) -> tuple[str, str]:
    """Return the first word of a text and the rest, both without surrounding blanks."""
    word, *rest = text.strip().split(maxsplit=1)
    return word, rest[0] if rest else ""


def _first_word(text: str, escape: str) -> str:
    """Return the first word of a text if it is a flag, with its quotes; else an empty text."""
    return next(iter(split_words(text, escape)), "") if text.startswith("--") else ""


def _join_continued(line: str, numbered_lines: Iterator[tuple[int, str]], continuation: re.Pattern[str]) -> str:
    """Return a line joined with those that continue it; comments and empty lines between them are skipped."""
    parts = [line]
    while continuation.search(parts[-1]):
        parts[-1] = continuation.sub("", parts[-1])
        following = next((text for _, text in numbered_lines if text.strip() and not COMMENT.match(text)), None)
        if following is None:
            break
        parts.append(following)
    return "".join(parts)


def _read_here_documents(text: str, numbered_lines: Iterator[tuple[int, str]], escape: str) -> Iterator[str]:
    """Yield the content of each here-document that an instruction begins."""
    for word in split_words(text, escape):
        match = HERE_DOCUMENT.fullmatch(word)
        if match is None:
            continue
        strips_tabs, end = bool(match[1]), match[2].strip("\"'")
        content: list[str] = []
        for _, line in numbered_lines:
            stripped = line.lstrip("\t") if strips_tabs else line
            if stripped == end:
                break
            content.append(f"{stripped}\n")
        yield "".join(content)
