"""Terraform's expressions, as far as names are made of them: text, references, comparisons, conditionals.

https://developer.hashicorp.com/terraform/language/expressions
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\$]|\\.|\$\{(?:[^{}"]|"[^"]*")*\}|\$)*")|(?P<name>[\w.\[\]]+)|(?P<sign>==|!=|[?:()]))'
)
INSERTED = re.compile(r'\$\{((?:[^{}"]|"[^"]*")*)\}')
COMMENT = re.compile(r"(?m)(?:^|\s)(?:#|//).*$")


class Unknown(Exception):
    """The expression is made of something that only Terraform knows."""


def evaluate(expression: str, scope: Mapping[str, str]) -> str:
    """Return the text that an expression stands for.

    Args:
        expression: as it is written.
        scope: values of references, by their full names: `var.env`, `terraform.workspace`.

    Raises:
        Unknown: it is not made of these alone.
    """
    reader = _Reader(_tokens(COMMENT.sub("", expression)), scope)
    value = reader.conditional()
    reader.end()
    return value


def _tokens(expression: str) -> list[str]:
    tokens, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        found = TOKEN.match(text, position)
        if not found:
            raise Unknown(text[position:])
        tokens.append(found[0].strip())
        position = found.end()
    return tokens


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str], scope: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._scope = scope

    def conditional(self) -> str:
        """Read `a == b ? c : d`, or less."""
        left, sign = self._primary(), self._next_is("==", "!=")
        if not sign:
            return left
        holds = (left == self._primary()) == (sign == "==")
        self._expect("?")
        yes = self._branch(taken=holds)
        self._expect(":")
        no = self._branch(taken=not holds)
        return yes if holds else no

    def _branch(self, *, taken: bool) -> str:
        """Read a branch; what the other one is made of may be unknown."""
        try:
            return self.conditional()
        except Unknown:
            if taken:
                raise
            return ""

    def _primary(self) -> str:
        word = self._take()
        if word == "(":
            value = self.conditional()
            self._expect(")")
            return value
        if word.startswith('"'):
            return INSERTED.sub(lambda found: evaluate(found[1], self._scope), word[1:-1])
        if word not in self._scope:
            raise Unknown(word)
        return self._scope[word]

    def _next_is(self, *signs: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in signs else ""

    def _take(self) -> str:
        if not self._tokens:
            raise Unknown("it ends too early")
        return self._tokens.pop(0)

    def _expect(self, sign: str) -> None:
        if self._take() != sign:
            raise Unknown(f"without {sign}")

    def end(self) -> None:
        """Expect nothing more."""
        if self._tokens:
            raise Unknown(self._tokens[0])
