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
INTERPOLATION = re.compile(r'\$\{((?:[^{}"]|"[^"]*")*)\}')
COMMENT = re.compile(r"(?m)(?:^|\s)(?:#|//).*$")


class UnsupportedExpressionError(Exception):
    """The expression is made of something that only Terraform knows."""


def evaluate(expression: str, scope: Mapping[str, str]) -> str:
    """Return the text that an expression stands for.

    Args:
        expression: as it is written.
        scope: values of references, by their full names: `var.env`, `terraform.workspace`.

    Raises:
        Unknown: it is not made of these alone.
    """
    parser = _Parser(_tokenize(COMMENT.sub("", expression)), scope)
    value = parser.parse_conditional()
    parser.expect_end()
    return value


def _tokenize(expression: str) -> list[str]:
    tokens, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise UnsupportedExpressionError(text[position:])
        tokens.append(match[0].strip())
        position = match.end()
    return tokens


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str], scope: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._scope = scope

    def parse_conditional(self) -> str:
        """Read `a == b ? c : d`, or less."""
        left_operand, operator = self._parse_primary(), self._accept("==", "!=")
        if not operator:
            return left_operand
        is_true = (left_operand == self._parse_primary()) == (operator == "==")
        self._expect("?")
        if_true = self._parse_branch(is_selected=is_true)
        self._expect(":")
        if_false = self._parse_branch(is_selected=not is_true)
        return if_true if is_true else if_false

    def _parse_branch(self, *, is_selected: bool) -> str:
        """Read a branch; what the other one is made of may be unknown."""
        try:
            return self.parse_conditional()
        except UnsupportedExpressionError:
            if is_selected:
                raise
            return ""

    def _parse_primary(self) -> str:
        token = self._advance()
        if token == "(":  # noqa: S105 - a token of the expression
            value = self.parse_conditional()
            self._expect(")")
            return value
        if token.startswith('"'):
            return INTERPOLATION.sub(lambda match: evaluate(match[1], self._scope), token[1:-1])
        if token not in self._scope:
            raise UnsupportedExpressionError(token)
        return self._scope[token]

    def _accept(self, *operators: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in operators else ""

    def _advance(self) -> str:
        if not self._tokens:
            raise UnsupportedExpressionError("it ends too early")
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        if self._advance() != token:
            raise UnsupportedExpressionError(f"without {token}")

    def expect_end(self) -> None:
        """Expect nothing more."""
        if self._tokens:
            raise UnsupportedExpressionError(self._tokens[0])
