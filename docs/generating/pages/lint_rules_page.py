"""`changelog-rules.md`: every rule of `changelog.check`."""

from __future__ import annotations

from docs.generating.pages.markdown import code, fence, page, table
from kaizen_tasks.domain.changelog.lint.rules import RULES

INTRODUCTION = """\
`inv changelog.check` exits with [3](exit-codes.md#3) if it finds an error, and with 0 if it finds only warnings. What
is an error by default is a warning in the releases before the newest one.

`[changelog.rules]` sets the severity of a rule in all releases: `error`, `warning` or `off`. With `[changelog] since`,
older releases are not checked, and all others are judged like the newest one.
"""

EXAMPLE = """\
[changelog]
since = "1.0.0"

[changelog.rules]
tag-missing = "off"
entry-untyped = "error"
"""


def render() -> str:
    """Return the page."""
    rows = ((code(name), rule.severity, rule.about) for name, rule in sorted(RULES.items()))
    return page(
        "Rules of `changelog.check`", INTRODUCTION, fence("toml", EXAMPLE), table(("Rule", "Default", "Finds"), rows)
    )
