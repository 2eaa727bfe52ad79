"""Makes text from outside safe for terminals, logs and JSON documents.

Reasons, names, log lines and answers of servers are written by others, and a terminal obeys what is in them.
"""

from __future__ import annotations

import re

# Patterns are compiled when they are needed: at every start, that would cost a millisecond.
_COLOUR = r"\x1b\[[0-9;:]*m"
"""What sets colours in the output of other programs (ECMA-48, section 8.3.117)."""

_INVISIBLE = (
    "\x7f-\x9f"  # DEL and C1, which some terminals obey as they obey ESC
    "\xad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb"  # no width
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # change the direction of the text: https://trojansource.codes
    "\u2028\u2029"  # end a line
    "\ud800-\udfff"  # cannot be encoded
    "\U000e0000-\U000e0fff"  # tags
)
_UNSAFE = f"[\x00-\x1f{_INVISIBLE}]"
_UNSAFE_IN_LINES = f"[\x00-\x08\x0b-\x1f{_INVISIBLE}]"
_COMMAND = r"##(vso)?\["
_NOT_ASCII = r"[^\x00-\x7f]"
_UNSAFE_IN_JSON = f"[{_INVISIBLE}]"


def printable(text: str) -> str:
    """Return a text as one line, without colours, and with question marks for what a terminal would obey or hide."""
    if _is_harmless(text):
        return text
    return re.sub(_UNSAFE, "?", re.sub(_COLOUR, "", text).replace("\t", " "))


def printable_lines(text: str) -> str:
    """Return a text as `printable` does, but with its line feeds and tabs."""
    if _is_harmless(text):
        return text
    return re.sub(_UNSAFE_IN_LINES, "?", re.sub(_COLOUR, "", text).replace("\r\n", "\n"))


def _is_harmless(text: str) -> bool:
    """Return whether a text has nothing to replace, as most have; Python counts selectors of variants as printable."""
    return text.isprintable() and max(text, default="") < "\U000e0000"


def disarm_commands(line: str) -> str:
    """Return a line of a log in which no CI service sees a command to itself, such as `::add-mask::` or `##[group]`.

    GitHub obeys `::` at the beginning, also after blanks, and `##[` anywhere in a line; Azure obeys `##vso[`.
    """
    # https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
    if "##" in line:
        line = re.sub(_COMMAND, r"# #\1[", line)
    words = line.lstrip()
    return f"{line[: len(line) - len(words)]}: :{words[2:]}" if words.startswith("::") else line


def escape_json(document: str) -> str:
    """Return a JSON document in which what a terminal or a CI service would obey, or hide, is escaped."""
    document = re.sub(_COMMAND, r"#\\u0023\1[", document) if "##" in document else document
    return document if document.isascii() and "\x7f" not in document else re.sub(_UNSAFE_IN_JSON, _escape, document)


def escape_for_encoding(document: str, encoding: str) -> str:
    """Return a JSON document in which everything is escaped that is not ASCII, if an encoding lacks any of it."""
    try:
        document.encode(encoding)
    except UnicodeEncodeError:
        return re.sub(_NOT_ASCII, _escape, document)
    return document


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:  # as two surrogates: https://www.rfc-editor.org/rfc/rfc8259#section-7
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"
