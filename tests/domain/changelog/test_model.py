"""Parsing changelogs of many styles."""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaizen_tasks.domain.changelog.link_index import Link
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.errors import KaizenError, Refused
from tests.domain.changelog.documents import ORDERLY, nasty, unreleased, version


def test_releases_are_in_the_order_of_the_file() -> None:
    log = parse_changelog(ORDERLY)
    assert [str(section.version) for section in log.releases] == ["1.1.0", "1.0.0"]
    assert log.unreleased
    assert log.unreleased.line == 3
    assert [group.type for group in log.unreleased.groups] == ["Added", "Fixed"]


def test_entry_includes_its_further_lines_and_nested_lists() -> None:
    log = parse_changelog(ORDERLY)
    assert log.unreleased
    first, second = log.unreleased.entries
    assert (first.text, first.line) == ("A **new** thing\nthat goes on\n- and nests", 7)
    assert ORDERLY[first.start : first.end] == b"- A **new** thing\n  that goes on\n  - and nests\n"
    assert second.text == "A bug"


def test_section_has_date_yanked_and_summary() -> None:
    newer, older = parse_changelog(ORDERLY).releases
    assert (newer.date, newer.yanked, newer.summary) == (dt.date(2026, 2, 3), False, "A word before.")
    assert (older.date, older.yanked, older.summary) == (dt.date(2026, 1, 2), True, "")


@pytest.mark.parametrize(
    ("heading", "name", "date"),
    [
        ("## [1.2.3] - 2026-01-02", "1.2.3", "2026-01-02"),
        ("## 1.2.3 - 2026-01-02", "1.2.3", "2026-01-02"),
        ("## v1.2.3 (2026-01-02)", "1.2.3", "2026-01-02"),
        ("## [v1.2.3] \u2014 2026-01-02 ##", "1.2.3", "2026-01-02"),
        ("## [1.2.3](https://h/o/r) - 2026-01-02", "1.2.3", "2026-01-02"),
        ("## [1.2.3][c] - 2026-01-02 [YANKED]", "1.2.3", "2026-01-02"),
        ("## 1.2.3-rc.1+b.2, 2026-01-02", "1.2.3-rc.1+b.2", "2026-01-02"),
        ("1.2.3 - 2026-01-02\n----", "1.2.3", "2026-01-02"),
        ("## [1.2.3] - 2026-02-30", "1.2.3", "None"),
        ("## [1.2.3]", "1.2.3", "None"),
        ("## 1.2", "None", "None"),
    ],
)
def test_headings_of_many_styles_are_parsed(heading: str, name: str, date: str) -> None:
    [section] = parse_changelog(heading.encode()).releases
    assert (str(section.version), str(section.date)) == (name, date)


@pytest.mark.parametrize("text", ["Unreleased", "[Unreleased]", "[UNRELEASED](http://x/y)", "[unreleased] - now"])
def test_unreleased_heading_is_recognised(text: str) -> None:
    assert parse_changelog(f"## {text}\n".encode()).unreleased


@pytest.mark.parametrize(
    "hidden",
    ["```\n{}\n```", "<!--\n{}\n-->", "~~~\n\n{}", "<pre>\n\n{}\n</pre>", "<div>\n{}\n</div>", "- ```\n  {}", "> {}"],
)
def test_text_that_only_looks_like_a_heading_is_none(hidden: str) -> None:
    log = parse_changelog(hidden.format("## [1.0.0]").encode())
    assert list(log.sections) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_do_not_change_what_is_parsed(newline: str, mark: str) -> None:
    content = (mark + ORDERLY.decode().replace("\n", newline)).encode()
    log = parse_changelog(content)
    plain = parse_changelog(ORDERLY)
    assert [one.heading for one in plain.sections] == [one.heading for one in log.sections]
    assert [one.line for one in plain.sections] == [one.line for one in log.sections]
    assert [[e.text for e in one.entries] for one in plain.sections] == [
        [e.text for e in one.entries] for one in log.sections
    ]


def test_form_feeds_and_unicode_separators_end_no_line() -> None:
    log = parse_changelog(unreleased("### Fixed\n- a\x0cb\u2028c\x85d\n"))
    assert log.unreleased
    assert [entry.text for entry in log.unreleased.entries] == ["a\x0cb\u2028c\x85d"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"\xff", "line 1, column 1"),
        (b"a\n\xc3\xa9\xff", "line 2, column 2"),
        (b"a\r\nb\r\xe2\x82", "line 3, column 1"),
    ],
)
def test_invalid_utf8_is_refused_with_its_place(content: bytes, place: str) -> None:
    with pytest.raises(Refused, match=place):
        parse_changelog(content)


@pytest.mark.parametrize(
    ("entry", "breaking"),
    [
        ("**Breaking:** a", True),
        ("**breaking change**: a", True),
        ("__Breaking:__ a", True),
        ("Breaking: a", True),
        ("a **Breaking:** b", True),
        ("Breaking the line", False),
    ],
)
def test_breaking_entries_are_recognised(entry: str, breaking: bool) -> None:
    log = parse_changelog(unreleased(f"### Changed\n- {entry}\n"))
    assert log.unreleased
    assert [one.is_breaking for one in log.unreleased.entries] == [breaking]


def test_links_are_found_at_any_depth() -> None:
    log = parse_changelog(b"[A  b]: </x>\n\n## [1.0.0]\n\n- x\n\n[1.0.0]:\n  http://y\n  'title'\n\n# End\n")
    assert [(link.label, link.url, link.line) for link in log.links] == [("A  b", "/x", 1), ("1.0.0", "http://y", 7)]
    assert log.link("a B") == Link(label="A  b", url="/x", start=0, end=13, url_start=9)


def test_releases_between_two_versions() -> None:
    log = parse_changelog(ORDERLY)
    assert log.find_section(version("1.0.0")) is log.releases[1]
    assert log.find_section(version("9.0.0")) is None
    assert log.releases_between(oldest=version("1.0.1")) == log.releases[:1]
    assert log.releases_between(newest=version("1.0.0")) == log.releases[1:]
    assert log.releases_between() == log.releases


@given(st.one_of(st.binary(max_size=200), nasty().map(str.encode)))
@example(b"")
@example(b"\xef\xbb\xbf## [Unreleased]")
@example(b"##")
@example(b"## [")
@example(b"[a]:\n")
def test_any_bytes_are_parsed_or_refused(content: bytes) -> None:
    try:
        log = parse_changelog(content)
        spans = [(one.start, one.body_start, one.end) for one in log.sections]
        assert all(one.line >= 1 for one in log.sections)
        assert all(content[e.start : e.end] for one in log.sections for e in (*one.entries, *one.untyped_entries))
        assert all(content[link.url_start : link.url_end] == link.url.encode() for link in log.links)
    except KaizenError:
        return
    assert all(0 <= start <= body <= end <= len(content) for start, body, end in spans)
