"""Parse headings of releases, such as `[1.2.3] - 2026-11-22 [YANKED]`, and format new ones in the same style."""

from __future__ import annotations

import datetime as dt
import re

import attrs

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat

WHITESPACE = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""The characters that markdown-it strips from the text of a heading: those that JavaScript's `trim` removes."""

_ATX = re.compile(r"[ ]{0,3}#{1,6}(?=[ \t]|$)")
_ATX_CLOSING = re.compile(r"(?:^|[ \t]+)#+$")
_FRAME = r"(?P<opening>[ ]{0,3}##[ \t]+).*?(?P<closing>(?:[ \t]+#+)?)[ \t]*$"
_RELEASE_HEADING = re.compile(
    r"""
    (?P<bracket>\[)? \s*
    (?P<prefix> (?:(?i:version|release)\s+(?=[vV]?\d+\.\d+\.\d))? (?:[vV](?=\d))? )
    (?P<name>[^\s\[\](),:]+) (?(bracket)\s*\])
    (?P<target> \( [^()\s]* \) | \[ [^\[\]]* \] )?
    (?P<tail> .* )
    """,
    re.VERBOSE | re.DOTALL,
)
_DECORATED_HEADING = (
    r"(?s)(?:<[^<>]*>|:[a-z0-9_+-]+:|[^\w\[<:]|_)*+"
    r"(?:\[\s*(?P<bracketed>[^\[\]]+)\](?P<target>\([^()\s]*\)|\[[^\[\]]*\])?)?(?P<tail>.*)"
)
_YANKED = re.compile(r"\[\s*yanked\s*\]", re.IGNORECASE)
_DATE = re.compile(r"(?P<before>[\s\-\u2013\u2014:,|(]*)(?P<date>\d{4}-\d{2}-\d{2})(?P<after>\)?)", re.ASCII)
_SEPARATORS = " \t\n-\u2013\u2014:,|()"


@attrs.frozen(kw_only=True)
class ReleaseHeading:
    """The parts of a release's heading.

    Attributes:
        name: the version or `Unreleased`, without brackets and prefix.
        is_bracketed: whether the name is in brackets.
        prefix: `v`, `Version ` or `Release `, or empty.
        link_target: the `(url)` or `[label]` after the brackets.
        date_prefix: the text between name and date.
        date_text: the date as written.
        date_suffix: a parenthesis after the date.
        yanked: whether the heading is marked `[YANKED]`.
        is_unreleased: whether the name is a name of `[Unreleased]`.
    """

    name: str
    is_bracketed: bool = True
    prefix: str = ""
    link_target: str = ""
    date_prefix: str = " - "
    date_text: str = ""
    date_suffix: str = ""
    yanked: bool = False
    is_unreleased: bool = False

    @property
    def label(self) -> str:
        """Return prefix and name, which are the text in brackets and the label of the link definition."""
        return self.prefix + self.name

    @property
    def url(self) -> str:
        """Return the URL in the heading's `(url)`, or an empty string."""
        return self.link_target[1:-1] if self.link_target.startswith("(") else ""

    @property
    def date(self) -> dt.date | None:
        """Return the date if it is a valid YYYY-MM-DD, else None."""
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.date_text, re.ASCII):
            return None
        try:
            return dt.date.fromisoformat(self.date_text)
        except ValueError:
            return None

    def render(self) -> str:
        """Return the text of the heading, without number signs or underline."""
        name = f"[{self.label}]{self.link_target}" if self.is_bracketed else self.label
        date = f"{self.date_prefix}{self.date_text}{self.date_suffix}" if self.date_text else ""
        return name + date + (" [YANKED]" if self.yanked else "")


def parse_heading(text: str, changelog_format: ChangelogFormat = DEFAULT_FORMAT) -> ReleaseHeading:
    """Parse the text of a heading. Any text is accepted."""
    match = _RELEASE_HEADING.match(text)
    is_unreleased = bool(match and match["name"].casefold() == "unreleased")
    is_release = bool(match and match["name"][0].isdigit())
    unreleased = None if is_release or is_unreleased else _parse_unreleased(text, changelog_format)
    if unreleased:
        return unreleased
    if not match:
        return ReleaseHeading(name=text, is_bracketed=False)
    if not is_release and not is_unreleased and not re.search(r"\d", text):  # master (unreleased)
        is_unreleased = changelog_format.unreleased_length(match["tail"].strip(_SEPARATORS)) > 0
    heading = ReleaseHeading(
        name=match["name"],
        is_bracketed=bool(match["bracket"]),
        prefix=match["prefix"] or "",
        link_target=match["target"] or "",
        is_unreleased=is_unreleased,
    )
    return _with_tail(heading, match["tail"])


def _parse_unreleased(text: str, changelog_format: ChangelogFormat) -> ReleaseHeading | None:
    """Return the heading of `[Unreleased]`, whose name may have several words and emoji before it; else None."""
    match = re.match(_DECORATED_HEADING, text)
    if not match:
        return None
    name, tail = match["bracketed"] or match["tail"], match["tail"]
    length = changelog_format.unreleased_length(name)
    if not length:
        return None
    if match["bracketed"] is None:
        name, tail = name[:length], tail[length:]
    heading = ReleaseHeading(
        name=name.rstrip(),
        is_bracketed=match["bracketed"] is not None,
        link_target=match["target"] or "",
        is_unreleased=True,
    )
    return _with_tail(heading, tail)


def _with_tail(heading: ReleaseHeading, text: str) -> ReleaseHeading:
    """Return a heading with what follows its name: the date and `[YANKED]`."""
    tail = _YANKED.sub("", text)
    date = _DATE.match(tail)
    return attrs.evolve(
        heading,
        date_prefix=date["before"] if date else " - ",
        date_text=date["date"] + tail[date.end() :].rstrip() if date else tail.strip(_SEPARATORS),
        date_suffix=date["after"] if date else "",
        yanked=tail != text,
    )


def heading_text(lines: tuple[str, ...]) -> str:
    """Return the text of a heading, which is one line with number signs, or several lines with an underline."""
    opening = _ATX.match(lines[0])
    text = _ATX_CLOSING.sub("", lines[0][opening.end() :].rstrip(" \t")) if opening else "\n".join(lines[:-1])
    return text.strip(WHITESPACE)


def format_heading(text: str, model_lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a heading of level 2, in the style of another heading: number signs or an underline."""
    if not _ATX.match(model_lines[0]):
        return text, model_lines[-1].strip()[0] * max(len(text), 3)
    frame = re.match(_FRAME, model_lines[0])
    opening, closing = (frame["opening"], frame["closing"]) if frame else ("## ", "")
    return (opening + text + closing,)
