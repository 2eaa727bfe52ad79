"""Evaluates Terraform's expressions for names: https://developer.hashicorp.com/terraform/language/expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping

TOKEN = re.compile(r'"(?:[^"\\$]|\\.|\$\{(?:[^{}"]|"[^"]*")*\}|\$)*"|[\w.\[\]]+|==|!=|[?:()]')
INTERPOLATION = re.compile(r'\$\{((?:[^{}"]|"[^"]*")*)\}')
COMMENT = re.compile(r"(?m)(?:^|\s)(?:#|//).*$")


class UnsupportedExpressionError(Exception):
    """The expression contains something that only Terraform can evaluate."""


def evaluate(expression: str, scope: Mapping[str, str]) -> str:
    """Return the text that an expression evaluates to.

    Args:
        expression: the source text.
        scope: values of references, by their full names: `var.env`, `terraform.workspace`.

    Raises:
        UnsupportedExpressionError: the expression contains anything else.
    """
    text = COMMENT.sub("", expression)
    if TOKEN.sub("", text).strip():
        raise UnsupportedExpressionError(text)
    parser = _Parser(TOKEN.findall(text), scope)
    value = parser.parse_conditional()
    parser.expect("")
    return value


class _Parser:
    """A parser that evaluates tokens from left to right; an empty token is the end."""

    def __init__(self, tokens: list[str], scope: Mapping[str, str]) -> None:
        self._tokens = [*tokens, ""]
        self._scope = scope

    def parse_conditional(self) -> str:
        """Read `a == b ? c : d`, or `a` alone, and return its value."""
        left_operand = self._parse_primary()
        if self._tokens[0] not in {"==", "!="}:
            return left_operand
        is_equality = self._tokens.pop(0) == "=="
        is_true = (left_operand == self._parse_primary()) == is_equality
        self.expect("?")
        if_true = self._parse_branch(is_selected=is_true)
        self.expect(":")
        if_false = self._parse_branch(is_selected=not is_true)
        return if_true if is_true else if_false

    def _parse_branch(self, *, is_selected: bool) -> str:
        """Read a branch and return its value; a branch that is not selected may refer to unknown names."""
        try:
            return self.parse_conditional()
        except UnsupportedExpressionError:
            if is_selected:
                raise
            return ""

    def _parse_primary(self) -> str:
        token = self._tokens.pop(0)
        if token == "(":  # noqa: S105 - a token of the expression
            value = self.parse_conditional()
            self.expect(")")
            return value
        if token.startswith('"'):
            return INTERPOLATION.sub(lambda match: evaluate(match[1], self._scope), token[1:-1])
        if token not in self._scope:
            raise UnsupportedExpressionError(token)
        return self._scope[token]

    def expect(self, token: str) -> None:
        """Read the next token, which must be `token`."""
        if not self._tokens or self._tokens.pop(0) != token:
            raise UnsupportedExpressionError(f"expected {token or 'the end'}")
