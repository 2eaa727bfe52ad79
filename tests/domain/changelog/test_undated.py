# ruff: noqa: RUF001 - Cyrillic letters are what they look like
"""Sections of versions that have no date yet."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest

from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.gather import cut_gathered
from kaizen_tasks.domain.changelog.merge import merge_release
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.undated import find_undated, is_placeholder
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import TODAY, version

OLDER = "## [1.2.3] - 2026-01-01\n\n### Added\n\n- x\n"
LINKS = "\n[unreleased]: https://github.com/o/r/compare/v1.2.3...HEAD\n[1.2.3]: https://github.com/o/r/releases/tag/v1.2.3\n"


def date(text: str, *, day: dt.date = TODAY) -> str:
    """Release 1.2.4."""
    log = parse_changelog(text.encode())
    cut = partial(cut_release, version=version("1.2.4"), date=day, repository_url=None)
    return cut_gathered(log, version("1.2.4"), find_undated(log, version("1.2.4")), cut, tag="v1.2.4").decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", "...", "?", "___", "🚧", "<!-- date -->", "Unreleased", "UNRELEASED", "*Unreleased*"),
        *("[unreleased]", "unreleased, planned for 2026-12-24", "Un-released", "Not yet released", "TBD", "tba"),
        *("To be announced", "In progress", "Coming soon", "Soon, in the coming weeks", "In development", "date"),
        *("Release date: TBD", "YYYY-MM-DD", "yyyy/mm/dd", "2026-XX-XX", "2026-12-xx", "2026-??-??", "20XX-XX-XX"),
        *("JJ/MM/AAAA", "TT.MM.JJJJ", "<date>", "{date}", "Month DD, YYYY", "next", "current", "À venir"),
        *("Non publié", "Unveröffentlicht", "No publicado", "Próximamente", "Em breve", "Não lançado", "geplant"),
        *("Binnenkort", "скоро", "Не выпущено", "未发布", "開発中", "未リリース", "미출시", "In arrivo", "WIP"),
    ],
)
def test_placeholder_stands_for_a_date(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    ["2026-13-45", "27 Nov 2026", "2026/11/27", "1/2/26", "2026", "December 2026", "The Big One", "Next Generation"],
)
def test_other_text_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    ("heading", "dated"),
    [
        ("## [1.2.4] - Unreleased", "## [1.2.4] - 2026-11-22"),
        ("## [1.2.4]", "## [1.2.4] - 2026-11-22"),
        ("## [1.2.4] (unreleased)", "## [1.2.4] - 2026-11-22"),
        ("## 1.2.4 – TBD ##", "## [1.2.4] - 2026-11-22"),
        ("## [1.2.4] [Unreleased]", "## [1.2.4] - 2026-11-22"),
        ("## [1.2.4][unreleased]", "## [1.2.4] - 2026-11-22"),
        ("[1.2.4] - YYYY-MM-DD\n--------", "## [1.2.4] - 2026-11-22"),
    ],
)
def test_only_the_heading_changes_to_that_of_other_releases(heading: str, dated: str) -> None:
    text = f"# Changelog\n\n{heading}\n\n### Fixed\n\n- A fix.\n\n{OLDER}"

    assert date(text) == text.replace(heading, dated)


def test_the_only_release_keeps_its_style() -> None:
    assert date("# Changelog\n\n## v1.2.4 - TBD\n\n- A fix.\n") == "# Changelog\n\n## 1.2.4 - 2026-11-22\n\n- A fix.\n"


def test_an_empty_unreleased_section_stays_above_and_links_are_updated() -> None:
    text = f"# Changelog\n\n## [Unreleased]\n\n## [1.2.4] - TBD\n\n### Fixed\n\n- A fix.\n\n{OLDER}{LINKS}"
    expected = text.replace("TBD", "2026-11-22").replace("v1.2.3...HEAD", "v1.2.4...HEAD")
    link = "[1.2.4]: https://github.com/o/r/compare/v1.2.3...v1.2.4\n"

    assert date(text) == expected.replace("[1.2.3]: http", f"{link}[1.2.3]: http")


def test_a_link_to_the_branch_becomes_one_to_the_tag() -> None:
    link = "[1.2.4]: https://github.com/o/r/compare/v1.2.3...HEAD\n"
    text = f"## [1.2.4] - TBD\n\n### Fixed\n\n- A fix.\n\n{OLDER}\n{link}"

    assert date(text) == text.replace("TBD", "2026-11-22").replace("HEAD", "v1.2.4")


def test_unreleased_entries_are_merged_into_the_section() -> None:
    noted = "### Fixed\n\n- late\n\n### Added\n\n- new\n"
    text = f"## [Unreleased]\n\n{noted}\n## [1.2.4] - Unreleased\n\n### Fixed\n\n- A fix.\n\n{OLDER}"

    assert date(text) == (
        "## [Unreleased]\n\n## [1.2.4] - 2026-11-22\n\n### Added\n\n- new\n\n### Fixed\n\n- A fix.\n- late\n\n" + OLDER
    )


def test_a_title_in_place_of_the_date_is_refused() -> None:
    with pytest.raises(Refused, match=r"line 1 .*: 'The Big One' in the heading of 1\.2\.4 is not a date"):
        date(f"## [1.2.4] - The Big One\n\n- A fix.\n\n{OLDER}")


@pytest.mark.parametrize("heading", ["[1.2.4] - 2026-11-20", "[1.2.4] - 20 Nov 2026", "[1.2.5] - TBD"])
def test_a_section_with_a_date_or_of_another_version_is_not_undated(heading: str) -> None:
    assert find_undated(parse_changelog(f"## {heading}\n\n- A fix.\n\n{OLDER}".encode()), version("1.2.4")) is None


@pytest.mark.parametrize("text", ["2026", "2026-12", "Q4 2026", "December 2026", "2026 Q4", "Dez. 2026"])
def test_a_month_is_no_date_where_other_releases_have_days(text: str) -> None:
    heading = f"## [1.2.4] - {text}\n\n### Fixed\n\n- A fix.\n\n"

    assert find_undated(parse_changelog((heading + OLDER).encode()), version("1.2.4"))
    assert find_undated(parse_changelog(heading.encode()), version("1.2.4")) is None


def test_titles_are_dates_enough_where_no_release_has_one() -> None:
    log = parse_changelog(b"## 1.2.4 Elephant\n\n- A fix.\n\n## 1.2.3 Cat\n\n- x\n")

    assert find_undated(log, version("1.2.4")) is None


def test_merge_of_a_branch_that_still_has_the_placeholder_dates_it_and_keeps_later_entries() -> None:
    base = f"## [1.2.4] - TBD\n\n### Fixed\n\n- A fix.\n\n{OLDER}"
    current = base.replace("- A fix.\n", "- A fix.\n- later\n")
    merged = merge_release(
        current.encode(),
        base=base.encode(),
        released=date(base).encode(),
        version=version("1.2.4"),
        repository_url=None,
    )

    assert merged.decode() == f"## [Unreleased]\n\n### Fixed\n\n- later\n\n{date(base)}"
