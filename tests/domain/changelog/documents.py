"""Changelogs for tests: an orderly one, and texts of fragments that are hard to parse."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st
from semver import Version

from kaizen_tasks.domain.changelog.cut import cut_release

TODAY = dt.date(2026, 11, 22)

ORDERLY = b"""\
# Changelog

## [Unreleased]

### Added

- A **new** thing
  that goes on
  - and nests

### Fixed

- A bug

## [1.1.0] - 2026-02-03

A word before.

### Added

- Old

## [1.0.0] - 2026-01-02 [YANKED]

### Added

- First

[unreleased]: https://github.com/o/r/compare/v1.1.0...HEAD
[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0
[1.0.0]: https://github.com/o/r/releases/tag/v1.0.0
"""

FRAGMENTS = (
    *("# T", "## [Unreleased]", "## [1.0.0] - 2020-01-01", "##", "## x ##", "##\ty", "### Added", "#5", "####### x"),
    *(" ## y", "   ## z", "    ## code", "## \\#", "### ", "## v2.0.0", "## [3.0.0](http://x/y) (2020-01-01)"),
    *("- a", "* b", "+ c", "1. x", "2) y", "10. z", "-", "- ", "- **Breaking:** b", "- - -", "- ## in a list"),
    *("> q", ">", "> ## quoted", "> ```", ">\t> t", "- ```", "- <!--", "- > ```"),
    *("```", "~~~", "````", "```py", "``` `", "  ```", "    ```", "\t```"),
    *("<!--", "-->", "<!-- c -->", "<div>", "</div>", "<script>", "</script>", "<?", "?>", "<!X", "<![CDATA["),
    *("]]>", "<a href='x'>", "<b>", "<pre", "<h1", "<div", ">", "<details>", "<textarea>"),
    *("---", "===", "--", "=", "***", "_ _ _", " ---", "    ---", "- \n---", "text\n---", "text\n==="),
    *("[a]: /u", "[a]:", "/u", "'t'", '"t', '"', "(t)", '[1.0.0]: http://x "t"', "[a\\]b]: <x y>", "[x]: <>"),
    *(
        "[",
        "]",
        "]:",
        "[u]: javascript:x",
        "[v]: javascript&colon;x",
        '"" x',
        "''",
        "[\x85]: /u",
        "[1.0.0]: http://x/y",
    ),
    *("\n\n[1.0.0]: https://x/y\n\n", "\n\n[Unreleased]: https://x/compare/v1...HEAD\n", "\n## a\n", "\n# b\n"),
    *("text", "\\", "  ", "    ", "\t", " ", "\n", "\n\n", "\r\n", "\r", "\r\r\n"),
    *("\x0c", "\x0b", "\u2028", "\xa0", "\0", "é", "\ufeff", "\x1c", "\U0001f680"),
)

_JOINTS = ("", "\n", "\n", "\n", "\n\n", "\r\n", " ", "\n  ", "\n    ", "\n> ", "\n- ")


@st.composite
def nasty(draw: st.DrawFn) -> str:
    """Text of fragments; it may start with a byte order mark."""
    pieces = draw(st.lists(st.tuples(st.sampled_from(FRAGMENTS), st.sampled_from(_JOINTS)), max_size=20))
    return "".join(fragment + joint for fragment, joint in pieces)


@st.composite
def releasable(draw: st.DrawFn) -> bytes:
    """Nasty text with something unreleased."""
    before, inside, after = draw(nasty()), draw(nasty()), draw(nasty())
    text = f"{before}\n\n## [Unreleased]\n\n### Fixed\n\n- bug\n\n{inside}\n\n## [1.0.0] - 2020-01-01\n\n{after}"
    return text.encode()


def version(text: str) -> Version:
    return Version.parse(text)


def cut(content: bytes, *, to: str = "1.2.0", repository_url: str | None = None) -> bytes:
    return cut_release(content, version=version(to), date=TODAY, repository_url=repository_url)


def unreleased(body: str) -> bytes:
    """Return a changelog with nothing but unreleased changes."""
    return f"## [Unreleased]\n{body}".encode()
