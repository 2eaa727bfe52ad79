"""The headings of releases: reading `[1.2.3] - 2026-11-22 [YANKED]` and writing one in the same manner."""

from __future__ import annotations

import datetime as dt
import re

import attrs

WHITESPACE = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What markdown-it trims around the text of a heading: the characters that JavaScript's `trim` takes."""

_ATX = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_ATX_CLOSING = re.compile(r"(?:^|[ \t]+)#+$")
_FRAME = re.compile(r"(?P<opening>[ ]{0,3}##[ \t]+).*?(?P<closing>(?:[ \t]+#+)?)[ \t]*$")
_RELEASE_HEADING = re.compile(
    r"""
    (?P<bracket>\[)? \s* (?P<prefix>[vV](?=\d))? (?P<name>[^\s\[\](),:]+) (?(bracket)\s*\])
    (?P<target> \( [^()\s]* \) | \[ [^\[\]]* \] )?
    (?P<tail> .* )
    """,
    re.VERBOSE | re.DOTALL,
)
_YANKED = re.compile(r"\[\s*yanked\s*\]", re.IGNORECASE)
_DATE = re.compile(r"(?P<before>[\s\-\u2013\u2014:,|(]*)(?P<date>\d{4}-\d{2}-\d{2})(?P<after>\)?)", re.ASCII)
_SEPARATORS = " \t\n-\u2013\u2014:,|()"


@attrs.frozen(kw_only=True)
class ReleaseHeading:
    """A heading taken apart.

    `name` is the version or `Unreleased` without brackets and `v`; `link_target` the `(url)` or `[label]` right
    behind it; `date_text` the date as written; `date_prefix` and `date_suffix` what stands around the date.
    """

    name: str
    is_bracketed: bool = True
    prefix: str = ""
    link_target: str = ""
    date_prefix: str = " - "
    date_text: str = ""
    date_suffix: str = ""
    yanked: bool = False

    @property
    def label(self) -> str:
        """Return what is, or would be, between the brackets: the label of the link definition."""
        return self.prefix + self.name

    @property
    def is_unreleased(self) -> bool:
        """Tell whether this heads the changes that are in no release yet."""
        return self.name.casefold() == "unreleased"

    @property
    def url(self) -> str:
        """Return the destination of a link inside the heading."""
        return self.link_target[1:-1] if self.link_target.startswith("(") else ""

    @property
    def date(self) -> dt.date | None:
        """Return the date, if it is written as YYYY-MM-DD and exists."""
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.date_text, re.ASCII):
            return None
        try:
            return dt.date.fromisoformat(self.date_text)
        except ValueError:
            return None

    def render(self) -> str:
        """Return the heading's text."""
        name = f"[{self.label}]{self.link_target}" if self.is_bracketed else self.label
        date = f"{self.date_prefix}{self.date_text}{self.date_suffix}" if self.date_text else ""
        return name + date + (" [YANKED]" if self.yanked else "")


def parse_heading(text: str) -> ReleaseHeading:
    """Take the text of a heading apart; what is no version is a title all the same, with an odd name."""
    match = _RELEASE_HEADING.match(text)
    if not match:
        return ReleaseHeading(name=text, is_bracketed=False)
    date_and_tail = _YANKED.sub("", match["tail"])
    date_match = _DATE.match(date_and_tail)
    return ReleaseHeading(
        name=match["name"],
        is_bracketed=bool(match["bracket"]),
        prefix=match["prefix"] or "",
        link_target=match["target"] or "",
        date_prefix=date_match["before"] if date_match else " - ",
        date_text=date_match["date"] + date_and_tail[date_match.end() :].rstrip()
        if date_match
        else date_and_tail.strip(_SEPARATORS),
        date_suffix=date_match["after"] if date_match else "",
        yanked=date_and_tail != match["tail"],
    )


def heading_text(lines: tuple[str, ...]) -> str:
    """Return the text of a heading from its lines: one with number signs, or several with an underline."""
    opening = _ATX.match(lines[0])
    text = _ATX_CLOSING.sub("", lines[0][opening.end() :].rstrip(" \t")) if opening else "\n".join(lines[:-1])
    return text.strip(WHITESPACE)


def format_heading(text: str, model_lines: tuple[str, ...]) -> tuple[str, ...]:
    """Write a heading of level 2 in the manner of another: number signs or an underline."""
    if not _ATX.match(model_lines[0]):
        return text, model_lines[-1].strip()[0] * max(len(text), 3)
    frame = _FRAME.match(model_lines[0])
    opening, closing = (frame["opening"], frame["closing"]) if frame else ("## ", "")
    return (opening + text + closing,)
