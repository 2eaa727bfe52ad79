"""Splits the operands of instructions into words and replaces variables in them, by the rules of BuildKit.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

SPECIAL_PARAMETERS = "@*#?-$!"
NAME = re.compile(rf"\d+|[{re.escape(SPECIAL_PARAMETERS)}]|\w+")


def split_words(text: str, escape: str) -> tuple[str, ...]:
    """Return the words between blanks outside quotes, with their quotes and escapes."""
    words, word, quote, position = [], "", "", 0
    while position < len(text):
        character = text[position]
        if character == escape and quote != "'":
            word += text[position : position + 2]
            position += 2
            continue
        if character.isspace() and not quote:
            words.append(word)
            word = ""
        else:
            word += character
            quote = _quote_after(character, quote)
        position += 1
    return tuple(filter(None, (*words, word)))


def _quote_after(character: str, quote: str) -> str:
    """Return the quote that is open after a character."""
    if character not in {"'", '"'}:
        return quote
    if not quote:
        return character
    return "" if character == quote else quote


def expand(text: str, variables: Mapping[str, str], escape: str) -> str:
    """Return a text without its quotes and escapes, and with values for `$name` and `${name:-default}`.

    A variable that is not set is replaced by nothing; a text that BuildKit would refuse is read as far as possible.
    """
    return _Expansion(text, variables, escape).until("")


def expand_words(text: str, variables: Mapping[str, str], escape: str) -> tuple[str, ...]:
    """Return the expanded words of a text; a value with blanks becomes several words unless it is quoted."""
    return tuple(
        expanded
        for word in split_words(text, escape)
        for expanded in _split_unquoted(word, expand(word, variables, escape))
    )


def _split_unquoted(word: str, expanded: str) -> list[str]:
    return [expanded] if word.startswith(("'", '"')) else expanded.split()


class _Expansion:
    """Reads a text once, from left to right."""

    def __init__(self, text: str, variables: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._variables = variables
        self._escape = escape
        self._position = 0

    def until(self, end: str, *, keeps_escapes: bool = False) -> str:
        """Return the expansion up to the end character, which is read too, or up to the end of the text."""
        return "".join(self._pieces(end, keeps_escapes=keeps_escapes))

    def _pieces(self, end: str, *, keeps_escapes: bool) -> Iterator[str]:
        while character := self._next():
            if character == end:
                return
            if character == "$":
                yield self._variable()
            elif character == "'":
                yield self._single_quoted()
            elif character == '"':
                yield "".join(self._double_quoted())
            elif character == self._escape:
                yield (character if keeps_escapes else "") + self._next()
            else:
                yield character

    def _next(self) -> str:
        """Return the next character and move past it; an empty text at the end."""
        character = self._peek()
        self._position += len(character)
        return character

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _single_quoted(self) -> str:
        content, _, _ = self._text[self._position :].partition("'")
        self._position += len(content) + 1
        return content

    def _double_quoted(self) -> Iterator[str]:
        while (character := self._next()) not in {"", '"'}:
            if character == "$":
                yield self._variable()
            elif character == self._escape and self._peek() in {'"', "$", self._escape}:
                yield self._next()
            else:
                yield character

    def _name(self) -> str:
        match = NAME.match(self._text, self._position)
        name = match[0] if match else ""
        self._position += len(name)
        return name

    def _variable(self) -> str:
        if self._peek() != "{":
            name = self._name()
            return self._variables.get(name, "") if name else "$"
        self._next()
        name = self._name()
        operator = self._next()
        if operator in {"", "}"}:
            return self._variables.get(name, "")
        if operator == "/":
            return self._replacement(name)
        counts_empty = operator != ":"
        if operator == ":":
            operator = self._next()
        word = self.until("}", keeps_escapes=operator in {"#", "%"})
        value = self._variables.get(name, "")
        is_set = name in self._variables and (counts_empty or bool(value))
        return _apply_operator(operator, value, word, is_set=is_set)

    def _replacement(self, name: str) -> str:
        """Return the value with the first match of a pattern replaced, or with `//` all matches."""
        count = 1
        if self._peek() == "/":
            self._next()
            count = 0
        pattern = self.until("/", keeps_escapes=True)
        replacement = self.until("}")
        value = self._variables.get(name, "")
        return re.sub(_glob_regex(pattern, ".*"), lambda _: replacement, value, count=count)


def _apply_operator(operator: str, value: str, word: str, *, is_set: bool) -> str:
    if operator == "-":
        return value if is_set else word
    if operator == "+":
        return word if is_set else ""
    if operator in {"#", "%"}:
        return _trim(operator, value, word)
    return value


def _trim(operator: str, value: str, word: str) -> str:
    """Return a value without the shortest, or for a doubled operator the longest, prefix or suffix that matches."""
    is_longest = word.startswith(operator)
    pattern = _glob_regex(word.removeprefix(operator), ".*" if is_longest else ".*?")
    if operator == "#":
        return re.sub(rf"\A(?:{pattern})", "", value, count=1)
    starts = range(len(value) + 1) if is_longest else range(len(value), -1, -1)
    whole = re.compile(pattern)
    return next((value[:start] for start in starts if whole.fullmatch(value[start:])), value)


def _glob_regex(pattern: str, star: str) -> str:
    r"""Return a regular expression for a pattern with `*` and `?`; a backslash makes them ordinary characters."""
    wildcards = {"*": star, "?": "."}
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(wildcards.get(piece, re.escape(piece[-1])) for piece in pieces)
