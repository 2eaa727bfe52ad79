"""The page of releases: complete, escaped, and with a policy that allows its own style alone."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.render.page import to_page

LOADING_ATTRIBUTES = {"src", "srcset", "background", "poster", "data"}


class Elements(HTMLParser):
    """Collects what a page contains."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.texts: dict[str, str] = {}
        self._tag = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.setdefault(tag, []).append(dict(attrs))
        self._tag = tag

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._tag] = self.texts.get(self._tag, "") + data


def policy(elements: Elements) -> str:
    (meta,) = [meta for meta in elements.attributes["meta"] if meta.get("http-equiv") == "Content-Security-Policy"]
    return meta["content"] or ""


def digest(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def test_the_policy_allows_the_style_sheet_and_the_alignment_of_cells_by_their_hashes() -> None:
    elements = Elements(to_page("<section></section>\n", app="web"))
    assert digest(elements.texts["style"]) in policy(elements)
    assert digest("text-align:right") in policy(elements)
    assert policy(elements).startswith("default-src 'none'; ")


def test_nothing_is_loaded_or_run() -> None:
    elements = Elements(to_page("", app="web"))
    assert "script" not in elements.attributes
    assert [link["href"] for link in elements.attributes["link"]] == ["data:,"]
    used = {name for tags in elements.attributes.values() for attributes in tags for name in attributes}
    assert used.isdisjoint(LOADING_ATTRIBUTES)
    assert "url(" not in elements.texts["style"]
    assert "@import" not in elements.texts["style"]


def test_both_themes_name_the_same_colours() -> None:
    light, _, dark = to_page("", app="web").partition("prefers-color-scheme: dark")
    names = [set(re.findall(r"(--\w+): #", style)) for style in (light, dark)]
    assert names[0] == names[1] != set()


@given(st.text())
def test_the_name_of_the_app_is_text(app: str) -> None:
    elements = Elements(to_page("", app=app))
    assert set(elements.attributes) == set(Elements(to_page("", app="web")).attributes)
