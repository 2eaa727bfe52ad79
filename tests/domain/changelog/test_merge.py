"""A release is merged into a changelog that has changed since."""

from __future__ import annotations

import datetime as dt

import pytest
from semver import Version

from kaizen_tasks.domain.changelog.cut import cut_release
from kaizen_tasks.domain.changelog.merge import merge_release
from kaizen_tasks.errors import KaizenError

URL = "https://git.example/web"
BASE = b"""\
# Changelog

## [Unreleased]

### Added

- Weekly plans

## [0.1.0] - 2026-11-01

### Added

- Everything

[unreleased]: https://git.example/web/compare/v0.1.0...HEAD
[0.1.0]: https://git.example/web/releases/tag/v0.1.0
"""
VERSION = Version.parse("0.2.0")
RELEASED = cut_release(BASE, version=VERSION, date=dt.date(2026, 11, 20), repository_url=URL)


def merge(current: bytes, base: bytes = BASE, released: bytes = RELEASED) -> bytes:
    return merge_release(current, base=base, released=released, version=VERSION, repository_url=URL)


def test_unchanged_changelog_becomes_that_of_the_release() -> None:
    assert merge(BASE) == RELEASED


def test_entries_noted_since_stay_unreleased() -> None:
    """In the same group, and in another one."""
    current = BASE.replace(
        b"- Weekly plans\n", b"- Weekly plans\n- Monthly plans\n\n### Fixed\n\n- A typo\n  in two lines\n"
    )

    assert merge(current) == RELEASED.replace(
        b"## [Unreleased]\n",
        b"## [Unreleased]\n\n### Added\n\n- Monthly plans\n\n### Fixed\n\n- A typo\n  in two lines\n",
    )


def test_two_entries_below_one_heading_stay_below_it() -> None:
    current = BASE.replace(b"### Added\n\n- Weekly plans\n", b"- Odd\n- Even\n\n### Docs\n\n- A page\n- Another\n")

    assert merge(current, base=BASE.replace(b"- Weekly plans\n", b"")) == RELEASED.replace(
        b"## [Unreleased]\n",
        b"## [Unreleased]\n\n- Odd\n- Even\n\n### Docs\n\n- A page\n- Another\n",
    )


@pytest.mark.parametrize("noted_before", [b"", b"### Added\n\n- Weekly plans\n\n", b"### Fixed\n\n- Paces\n\n"])
def test_section_is_that_of_the_release(noted_before: bytes) -> None:
    """Whatever was noted before branch and release went apart, and on both sides afterwards."""
    group = b"### Added\n\n- Weekly plans\n\n"
    base = BASE.replace(group, noted_before)
    released = cut_release(
        BASE.replace(group, noted_before + b"### Security\n\n- Mine\n\n"),
        version=VERSION,
        date=dt.date(2026, 11, 20),
        repository_url=URL,
    )

    merged = merge(BASE.replace(group, noted_before + b"### Security\n\n- Others\n\n"), base, released)

    assert merged == released.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n### Security\n\n- Others\n")


def test_entries_that_the_release_has_reworded_are_not_unreleased() -> None:
    released = RELEASED.replace(b"- Weekly plans\n", b"- Plans of a week\n")
    current = BASE.replace(b"- Weekly plans\n", b"- Weekly plans\n- Monthly plans\n")

    assert merge(current, BASE, released) == released.replace(
        b"## [Unreleased]\n", b"## [Unreleased]\n\n### Added\n\n- Monthly plans\n"
    )


def test_first_release_is_merged_above_the_links() -> None:
    first = BASE[: BASE.index(b"## [0.1.0]")] + b"[unreleased]: https://git.example/web/commits/HEAD\n"
    released = cut_release(first, version=VERSION, date=dt.date(2026, 11, 20), repository_url=URL)
    current = first.replace(b"- Weekly plans\n", b"- Weekly plans\n- Monthly plans\n")

    assert merge(current, first, released) == released.replace(
        b"## [Unreleased]\n", b"## [Unreleased]\n\n### Added\n\n- Monthly plans\n"
    )


def test_entry_noted_twice_is_released_once() -> None:
    current = BASE.replace(b"- Weekly plans\n", b"- Weekly plans\n- Weekly plans\n")

    assert merge(current) == RELEASED.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n### Added\n\n- Weekly plans\n")


def test_changes_of_older_sections_are_kept() -> None:
    current = BASE.replace(b"- Everything\n", b"- Everything, and more\n")

    assert merge(current) == RELEASED.replace(b"- Everything\n", b"- Everything, and more\n")


def test_changelog_that_has_the_release_stays_as_it_is() -> None:
    current = RELEASED.replace(b"- Weekly plans\n", b"- Weekly plans, corrected\n")

    assert merge(current) == current


def test_merge_keeps_crlf() -> None:
    crlf_base, crlf_released = BASE.replace(b"\n", b"\r\n"), RELEASED.replace(b"\n", b"\r\n")
    current = crlf_base.replace(b"- Weekly plans\r\n", b"- Weekly plans\r\n- Monthly plans\r\n")

    assert merge(current, crlf_base, crlf_released) == crlf_released.replace(
        b"## [Unreleased]\r\n", b"## [Unreleased]\r\n\r\n### Added\r\n\r\n- Monthly plans\r\n"
    )


def test_changelogs_that_do_not_fit_together_are_refused() -> None:
    current = BASE.replace(b"## [Unreleased]", b"## Soon")

    with pytest.raises(KaizenError):
        merge(current)


@pytest.mark.parametrize(
    ("noted_since", "unreleased"),
    [
        (b"- Flat\n", b"- Flat\n"),
        (b"### Parser\n\n- Faster\n", b"### Parser\n\n- Faster\n"),
        (b"### Breaking Changes\n\n- Gone\n", b"### Breaking Changes\n\n- Gone\n"),
        ("### Corrigé\n\n- Plus rapide\n".encode(), "### Corrigé\n\n- Plus rapide\n".encode()),
    ],
)
def test_entries_below_other_headings_stay_unreleased_below_them(noted_since: bytes, unreleased: bytes) -> None:
    current = BASE.replace(b"### Added\n\n- Weekly", noted_since + b"\n### Added\n\n- Weekly")

    assert merge(current) == RELEASED.replace(b"## [Unreleased]\n", b"## [Unreleased]\n\n" + unreleased)
