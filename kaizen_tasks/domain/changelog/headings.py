"""The headings of releases: reading `[1.2.3] - 2026-11-22 [YANKED]` and writing one in the same manner."""

from __future__ import annotations

import datetime as dt
import re

import attrs

from kaizen_tasks.domain.changelog.links.reference_definitions import WHITESPACE
from kaizen_tasks.domain.changelog.markdown.block_parser import atx_text

_ATX = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_FRAME = re.compile(r"(?P<opening>[ ]{0,3}##[ \t]+).*?(?P<closing>(?:[ \t]+#+)?)[ \t]*$")
_TITLE = re.compile(
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
class Title:
    """A heading taken apart.

    `name` is the version or `Unreleased` without brackets and `v`; `target` the `(url)` or `[label]` right
    behind it; `when` the date as written; `before` and `after` what stands around the date.
    """

    name: str
    bracketed: bool = True
    prefix: str = ""
    target: str = ""
    before: str = " - "
    when: str = ""
    after: str = ""
    yanked: bool = False

    @property
    def label(self) -> str:
        """Return what is, or would be, between the brackets: the label of the link definition."""
        return self.prefix + self.name

    @property
    def unreleased(self) -> bool:
        """Tell whether this heads the changes that are in no release yet."""
        return self.name.casefold() == "unreleased"

    @property
    def url(self) -> str:
        """Return the destination of a link inside the heading."""
        return self.target[1:-1] if self.target.startswith("(") else ""

    @property
    def date(self) -> dt.date | None:
        """Return the date, if it is written as YYYY-MM-DD and exists."""
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.when, re.ASCII):
            return None
        try:
            return dt.date.fromisoformat(self.when)
        except ValueError:
            return None

    def written(self) -> str:
        """Return the heading's text."""
        name = f"[{self.label}]{self.target}" if self.bracketed else self.label
        when = f"{self.before}{self.when}{self.after}" if self.when else ""
        return name + when + (" [YANKED]" if self.yanked else "")


def read_title(text: str) -> Title:
    """Take the text of a heading apart; what is no version is a title all the same, with an odd name."""
    match = _TITLE.match(text)
    if not match:
        return Title(name=text, bracketed=False)
    rest = _YANKED.sub("", match["tail"])
    date = _DATE.match(rest)
    return Title(
        name=match["name"],
        bracketed=bool(match["bracket"]),
        prefix=match["prefix"] or "",
        target=match["target"] or "",
        before=date["before"] if date else " - ",
        when=date["date"] + rest[date.end() :].rstrip() if date else rest.strip(_SEPARATORS),
        after=date["after"] if date else "",
        yanked=rest != match["tail"],
    )


def heading_text(lines: tuple[str, ...]) -> str:
    """Return the text of a heading from its lines: one with number signs, or several with an underline."""
    marks = _ATX.match(lines[0])
    return atx_text(marks) if marks else "\n".join(lines[:-1]).strip(WHITESPACE)


def framed(text: str, like: tuple[str, ...]) -> tuple[str, ...]:
    """Write a heading of level 2 in the manner of another: number signs or an underline."""
    if not _ATX.match(like[0]):
        return text, like[-1].strip()[0] * max(len(text), 3)
    frame = _FRAME.match(like[0])
    opening, closing = (frame["opening"], frame["closing"]) if frame else ("## ", "")
    return (opening + text + closing,)
