"""The commands that messages of the package tell users to type, found in its source."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

import kaizen_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(kaizen_tasks.__file__).parent
GIT_COMMANDS = (
    "add|branch|check-attr|checkout|cherry-pick|commit|config|fetch|init|ls-remote|merge|pull|push|rebase|remote|reset|"
    "revert|show|sparse-checkout|stash|switch|tag|update-index|update-ref"
)
COMMAND = re.compile(
    rf"(?<![\w`./-])(?:(?:inv|kaizen) [a-z\0-]|git (?:{GIT_COMMANDS})\b|aws [a-z]+ [a-z]|pip install"
    r"|(?:export|unset) [A-Z\0]|(?:rm|kill|chmod|ls|cp) [\0/\d-])"
)
HOLE = "\0"
"""What stands for the value of an expression in a template."""


@frozen
class Template:
    """A text with a command in it.

    Attributes:
        module: path of the module in the package.
        text: the text; a hole for each expression in it.
    """

    module: str
    text: str

    def is_in(self, printed: str) -> bool:
        """Return whether a text that was printed has this template in it."""
        return re.search(".*".join(map(re.escape, self.text.split(HOLE))), printed) is not None

    @property
    def own_lines(self) -> list[list[str]]:
        """The words behind `inv` and `kaizen` of each command line in it: tasks, flags and their values, up to `--`."""
        lines = re.findall(r"(?<![\w`./-])(?:inv|kaizen) ([^;,:&()]*)", self.text)
        return [line.partition(" -- ")[0].split() for line in lines]


@functools.cache
def templates() -> tuple[Template, ...]:
    """Return every line of text with a command in it. Docstrings, documents and what follows a success are none."""
    return tuple(_find_templates())


def _find_templates() -> Iterator[Template]:
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        parts = {
            id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part != node
        }
        for node in nodes:
            text = _text(node) if id(node) not in docstrings | parts else ""
            if COMMAND.search(text) and "\n" not in text and not text.startswith("next"):
                yield Template(path.relative_to(PACKAGE).as_posix(), text)


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) or HOLE for value in values)
        case _:
            return ""
