"""The page: what it shows, that it is inert, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import html5lib
import pytest

from kaizen_tasks.adapters.page import render
from kaizen_tasks.adapters.page.render import is_dashboard, render_page
from kaizen_tasks.domain.dashboard.model import Dashboard, StageView
from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import UsageError
from tests.adapters.page.boards import NOW, SINCE, board, entry, large_board, released, view

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 300_000
HOSTILE = "\u202e\x1b[31m</style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}"
HOSTILE_NOTES = f"""\
# Changelog

## [Unreleased]

- {HOSTILE}

## [0.2.0] - 2026-11-18

### Added </style><script>alert(1)</script>

- <script>alert(1)</script> <style>*{{}}</style> <iframe src="https://evil.example"></iframe>
- [click](javascript:alert(1)) [click](data:text/html,x) <a href="javascript:alert(1)" onclick="alert(1)">click</a>
- ![tracker](https://evil.example/pixel.png) <img src="https://evil.example/pixel.png" srcset="//evil.example/a 2x">
- <svg><use href="https://evil.example/x.svg#x"/></svg> <p style="background:url(https://evil.example)" id=main>x</p>
- <a></a> <a href="https://example.com"></a>
- <h1>large</h1>

<details><summary></summary>hidden</details>

| | b |
| :-: | --: |
| 1 | 2 |
"""


def parse(page: str) -> Any:
    """Return the document that a browser makes of a page, without any correction of its markup.

    html5lib does not know that `<use/>` may end itself inside HTML only in SVG, so that is no correction.
    """
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(page)
    assert [(place, code) for place, code, _ in parser.errors] == []
    return document


def elements(document: Any) -> Iterator[Any]:
    """Yield every element."""
    return (element for element in document.iter() if isinstance(element.tag, str))


def name(element: Any) -> str:
    """Return the name of an element, without the namespace of SVG."""
    return str(element.tag).rpartition("}")[2]


def text(element: Any) -> str:
    """Return the text of an element and all inside it, with single blanks."""
    return " ".join("".join(element.itertext()).split())


def find(document: Any, wanted: str, **attributes: str) -> list[Any]:
    """Return the elements of a name that have some attributes."""
    return [
        element
        for element in elements(document)
        if name(element) == wanted
        and all(value in element.get(key.rstrip("_"), "").split() for key, value in attributes.items())
    ]


def bars_of(document: Any) -> list[Any]:
    """Return the bars of the timeline, and the marks of releases that never served."""
    return [each for row in find(document, "div", class_="row") for each in row.iter() if has_title(each)]


def has_title(element: Any) -> bool:
    """Return whether the first thing in an element is its title."""
    return len(element) > 0 and name(element[0]) == "title"


def policy(document: Any) -> dict[str, list[str]]:
    """Return the Content-Security-Policy, by directive."""
    (meta,) = [each for each in find(document, "meta") if each.get("http-equiv") == "Content-Security-Policy"]
    directives = (directive.split() for directive in meta.get("content").split(";"))
    return {directive[0]: directive[1:] for directive in directives}


def sha256(content: str) -> str:
    """Return the hash of an inline script or style as a policy has it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@pytest.mark.parametrize("shown", [board(), board(changelog=HOSTILE_NOTES, text=HOSTILE, url="javascript:alert(1)")])
def test_page_runs_its_own_script_and_requests_nothing(shown: Dashboard) -> None:
    document = parse(render_page(shown))

    allowed = policy(document)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["style-src"] == [sha256("".join(each.itertext())) for each in find(document, "style")]
    assert allowed["script-src"] == [sha256("".join(each.itertext())) for each in find(document, "script")]
    assert set(allowed) == {"default-src", "style-src", "script-src", "img-src", "base-uri", "form-action"}
    assert allowed["img-src"] == ["data:"]
    loading = {"img", "iframe", "object", "embed", "video", "audio", "source", "image", "base", "form", "feimage"}
    assert not loading & {name(element).lower() for element in elements(document)}
    attributes = {attribute for element in elements(document) for attribute in element.attrib}
    assert not [attribute for attribute in attributes if attribute.startswith("on") or attribute in {"src", "srcset"}]
    assert "style" not in attributes
    (link,) = find(document, "link")
    assert link.get("href").startswith("data:image/svg+xml,")


@pytest.mark.parametrize("shown", [board(), board(changelog=HOSTILE_NOTES, text=HOSTILE, url="javascript:alert(1)")])
def test_links_lead_to_the_web_or_into_the_page(shown: Dashboard) -> None:
    document = parse(render_page(shown))

    ids = {element.get("id") for element in elements(document)}
    for element in elements(document):
        target = element.get("href", "") or element.get("{http://www.w3.org/1999/xlink}href", "")
        if target.startswith("#"):
            assert target[1:] in ids
        elif target and name(element) != "link":
            assert re.match(r"https?://", target)
            assert element.get("rel") == "noreferrer"
            assert text(element)
    (main,) = [element for element in elements(document) if element.get("id") == "main"]
    assert name(main) == "main"


def test_texts_of_others_are_shown_and_not_obeyed() -> None:
    page = render_page(board(changelog=HOSTILE_NOTES, text=HOSTILE, url="javascript:alert(1)"))

    document = parse(page)
    shown = text(document)
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "{{ 7 * 7 }}" in shown
    assert "on time?</style></script><script>alert(1)</script>" in shown.replace("??[31m", "?").replace("?[31m", "")
    assert len(find(document, "script")) == len(find(document, "style")) == 1


def test_headings_are_in_order() -> None:
    levels = [int(name(each)[1]) for each in elements(parse(render_page(board()))) if re.fullmatch(r"h\d", name(each))]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_landscape_says_what_runs_where_since_when_and_by_whom() -> None:
    document = parse(render_page(board()))

    (table,) = find(document, "table", class_="board")
    rows = [[text(cell) for cell in row] for row in table.iter("tr")]
    assert rows == [
        ["Environment", "Version", "State", "Since", "By", "Digest"],
        ["staging", "v0.3.0", "drift", "-", "-", "76302e332e30"],
        ["v0.3.0 failed here: on time"],
        ["prod", "v0.1.0", "in sync locked", "2026-11-19 12:00", "ada", "76302e312e30"],
        ["locked by hand by eve since 2026-11-20 09:00 UTC (promote-prod)"],
        ["beta"],
        ["mark", "v0.1.0", "in sync held", "2026-11-01 12:00", "ada", "76302e312e30"],
        ["held by eve since 2026-11-20 09:00 UTC: busy"],
        ["dom", "nothing", "could not be read", "-", "-", "-"],
        ["denied"],
    ]


def test_stages_say_what_would_be_promoted_next() -> None:
    document = parse(render_page(board()))

    assert [text(each) for each in find(document, "p", class_="next")] == [
        "1 change noted for the next release",
        "Next: v0.2.0, verified in staging inv promote-prod",
        "Nothing to promote: v0.1.0 failed",
    ]


def test_timeline_has_a_bar_for_each_release_with_all_that_is_known() -> None:
    document = parse(render_page(board()))

    bars = bars_of(document)
    titles = [text(find(bar, "title")[0]) for bar in bars]
    assert [bar.get("class").split()[-1] for bar in bars] == ["past", "now", "fail", "past", "undone", "now", "now"]
    assert titles[2] == "v0.3.0 failed 2026-11-20 10:00 by ada, took 1h on time"
    assert titles[4] == (
        "v0.2.0 rolled back 2026-11-18 12:00, for 1d by ada, took 2m on time back to v0.1.0 by ada: on time"
    )
    assert titles[6] == "v0.1.0 verified 2026-11-01 12:00, still serving by ada, took 2m on time"


@pytest.mark.parametrize(("event", "kinds"), [(Event.STARTED, ["now", "begun"]), (Event.DEPLOYED, ["past", "work"])])
def test_a_release_that_is_not_verified_yet_is_told_from_the_one_that_serves(event: Event, kinds: list[str]) -> None:
    at = NOW - timedelta(days=1)
    entries = [*released("staging", "v1", NOW - timedelta(days=9)), entry("staging", Event.STARTED, "v2", at)]
    entries += [entry("staging", event, "v2", at)] if event is Event.DEPLOYED else []
    stage = StageView(name="staging", is_group=False, environments=(view("staging", entries),))

    document = parse(render_page(Dashboard(app="web", at=NOW, since=SINCE, stages=(stage,))))

    assert [bar.get("class") for bar in bars_of(document)] == kinds


def test_table_says_the_same_as_the_bars() -> None:
    document = parse(render_page(board()))

    (table,) = find(document, "table", class_="history")
    rows = [[text(cell) for cell in row] for row in table.iter("tr")][1:]
    assert len(rows) == 7
    why = "on time"
    assert rows[0] == ["2026-11-20 10:00", "staging", "v0.3.0", "failed", "-", "1h", "ada", why]
    assert rows[1] == [
        "2026-11-19 12:00",
        "prod",
        "v0.1.0",
        "verified",
        "still serving",
        "2m",
        "ada",
        f"rollback: {why}",
    ]
    assert find(table, "a")[0].get("href") == "https://ci.example/runs"


def test_releases_have_their_notes_below_the_headings_of_the_page() -> None:
    document = parse(render_page(board()))

    articles = find(document, "article")
    assert [text(find(each, "h3")[0]) for each in articles] == [
        "Noted for the next release",
        "v0.3.0",
        "v0.2.0 2026-11-18",
        "v0.1.0 2026-11-01",
    ]
    second = articles[2]
    assert [text(each) for each in find(second, "h4")] == ["Fixed"]
    assert [each.get("href") for each in find(second, "a")] == [
        "https://git.example/team/web/blob/HEAD/docs/manual.md",
        "https://example.com/page",
    ]
    assert [each.get("class") for each in find(second, "td")] == [None, "right"]
    assert "☑ done" in text(second)
    assert [text(each) for each in find(second, "li", class_="state")] == [
        "staging: serves",
        "prod: was rolled back",
    ]
    assert text(articles[1]).endswith("The changelog of this branch has no notes of it.")


def test_page_without_any_release_is_a_page() -> None:
    document = parse(render_page(Dashboard(app="<web>", at=NOW, since=SINCE, stages=())))

    assert text(find(document, "title")[0]) == "<web>: what runs where"
    assert not find(document, "article")


@pytest.mark.parametrize(
    ("releases", "to_all", "reason"), [(1000, False, ""), (1000, False, "a long reason & more " * 40), (200, True, "")]
)
def test_page_of_many_environments_and_releases_is_small_and_says_what_it_leaves_out(
    releases: int, to_all: bool, reason: str
) -> None:
    shown = large_board(environments=100, releases=releases, to_all=to_all, reason=reason)

    page = render_page(shown)

    document = parse(page)
    bars = bars_of(document)
    rows = [each for each in find(document, "table", class_="board")[0].iter("tr") if find(each, "td")]
    total = 100 * releases if to_all else releases
    assert len(page.encode()) < MAX_BYTES
    assert len(rows) == 100
    assert len(bars) > (300 if reason else 900)
    note = f"The newest {len(bars)} of {total:,} deployments; all of them: inv dashboard --json"
    assert (note in text(document)) == (len(bars) < total)
    assert re.search(rf"The newest \d+ of {releases:,} releases; all of them: inv dashboard --json", text(document))


def test_long_texts_are_cut() -> None:
    page = render_page(board(text="x" * 100_000))

    assert len(page) < MAX_BYTES


def test_dashboards_are_told_from_other_files() -> None:
    assert is_dashboard(render_page(board()).encode())
    assert not is_dashboard(b"<!doctype html><html>")


def test_missing_template_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    render._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(UsageError) as refused:
        render_page(board())

    assert re.fullmatch(r"pip install 'jinja2>=[\d.]+'", refused.value.hint)
