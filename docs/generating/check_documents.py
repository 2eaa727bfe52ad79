"""Checks the documents of the repository: link targets, commands and keys of the configuration must exist."""

from __future__ import annotations

import itertools
import os
import re
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from docs.generating import command_block, doctest_parser, example_tasks
from docs.generating.check_configuration import configuration_problems
from docs.generating.pages.markdown import NOTICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke.collection import Collection
    from markdown_it.token import Token

SKIPPED_FOLDERS = ("build", "dist", "node_modules")
TAB = "⇥"
"""What a command ends with that the shell is to complete."""
VALUE_LEFT_OUT = "needed value and was not given one!"
"""Invoke's error for a flag that a text only names."""
SHELLS = ("", "console", "sh", "shell", "bash")
"""Languages of the code blocks whose lines may be commands."""


def find_problems(root: Path) -> Iterator[str]:
    """Yield every problem of every document below a folder, as `file:line: message`."""
    for document in markdown_files(root):
        tokens = _tokens(document)
        name = document.relative_to(root)
        text = document.read_text(encoding="utf-8")
        is_run = NOTICE in text or doctest_parser.starting_point(text)  # with errors that are meant
        is_history = document.name == "CHANGELOG.md" or "decisions" in document.parts
        findings = (
            *_dead_links(document, tokens),
            *(() if is_run else _unknown_commands(tokens)),
            *(() if is_history else (*_unknown_inline_commands(tokens), *_wrong_configurations(tokens))),
        )
        yield from (f"{name}:{line}: {message}" for line, message in findings)


def markdown_files(root: Path) -> Iterator[Path]:
    """Yield the Markdown files below a folder, without hidden and build folders."""
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".md"))


def _tokens(document: Path) -> list[Token]:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").parse(document.read_text(encoding="utf-8"))


def _dead_links(document: Path, tokens: list[Token]) -> Iterator[tuple[int, str]]:
    for line, target in _links(tokens):
        path, _, anchor = unquote(target).partition("#")
        file = document.parent / path if path else document
        if re.match(r"[a-z]+:", target):
            continue
        if not file.exists():
            yield line, f"{target}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(_tokens(file)):
            yield line, f"{target}: no such heading"


def _links(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    line = 0
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target:
                yield line, str(target)


def anchors(tokens: list[Token]) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    counts: dict[str, int] = {}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", _text(inline).lower()).replace(" ", "-")
            counts[slug] = counts.get(slug, -1) + 1
    return {f"{slug}-{number}" if number else slug for slug, count in counts.items() for number in range(count + 1)}


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})


def _unknown_commands(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        if token.type == "fence" and token.info.strip() in SHELLS and token.map:
            for offset, text in enumerate(token.content.splitlines(), start=token.map[0] + 2):
                if message := unknown_command(text, has_prompt=token.info.strip() == "console"):
                    yield offset, message


def _unknown_inline_commands(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    line = 0
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            if child.type != "code_inline" or child.content.endswith(TAB):
                continue
            message = unknown_command(_without_gaps(child.content))
            if message and not message.endswith(VALUE_LEFT_OUT):
                yield line, message


def _wrong_configurations(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        if token.type == "fence" and token.info.strip() == "toml" and token.map:
            yield from ((token.map[0] + 1, problem) for problem in configuration_problems(token.content))


def _without_gaps(text: str) -> str:
    """Return a command without what it leaves open: `…`, and the name of any task."""
    return re.sub(r"(?<!\S)…(?!\S)|(?<=^inv )NAME|(?<=^kaizen )NAME|(?<=--dry )NAME|(?<=--debug )NAME", "", text)


def unknown_command(line: str, *, has_prompt: bool = False) -> str:
    """Return the problem of a line's commands, or an empty text.

    Args:
        line: of a code block.
        has_prompt: whether only lines after a `$` are commands.
    """
    if has_prompt and not line.startswith("$ "):
        return ""
    try:
        commands = command_block.parse_commands(line.removeprefix("$ "))
    except ValueError:
        return f"{line}: unclosed quotation" if has_prompt else ""
    return next(
        (problem for command in commands if command.runs_tasks and (problem := _parse_error(command.words[1:]))), ""
    )


def _parse_error(words: tuple[str, ...]) -> str:
    """Return the error of Invoke's own parser, or an empty text."""
    from invoke.exceptions import Exit, ParseError

    program = _program()
    with redirect_stdout(StringIO()), suppress(Exit):  # parsing alone prints a script of completion
        try:
            program.parse_core(["inv", *(word for word in words if word != "--debug")])  # which would log from here on
            program.parse_tasks()
        except ParseError as error:
            return f"inv {' '.join(words)}: {error}"
    return ""


def _program() -> Any:
    from invoke.program import Program

    program: Any = Program()
    program.create_config()
    program.collection = _collection()
    return program


@cache
def _collection() -> Collection:
    return example_tasks.collection()
