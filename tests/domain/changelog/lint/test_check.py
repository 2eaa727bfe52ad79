"""Problems of a changelog, and automatic fixes."""

import json

import pytest
from hypothesis import example, given

from kaizen_tasks.domain.changelog.lint.check import apply_rules, check_changelog
from kaizen_tasks.domain.changelog.lint.fix import fix_changelog
from kaizen_tasks.domain.changelog.lint.problem import LintProblem
from kaizen_tasks.domain.changelog.lint.rules import DEFAULT_RULES, RULES, LintRules, Severity
from kaizen_tasks.domain.changelog.lint.sarif_report import to_sarif
from kaizen_tasks.errors import KaizenError
from tests.domain.changelog.documents import ORDERLY, TODAY, cut, nasty, releasable, version


def problems(
    content: bytes | str,
    *,
    at: str = "",
    tags: tuple[str, ...] = (),
    repository_url: str | None = None,
    config: LintRules = DEFAULT_RULES,
) -> list[LintProblem]:
    found = check_changelog(
        content if isinstance(content, bytes) else content.encode(),
        version=version(at) if at else None,
        tags=[version(tag) for tag in tags],
        repository_url=repository_url,
        today=TODAY,
    )
    return list(apply_rules(found, config))


def severities(content: str, *, config: LintRules = DEFAULT_RULES, tags: tuple[str, ...] = ()) -> list[str]:
    return [f"{one.line} {one.severity}" for one in problems(content, config=config, tags=tags)]


def rules(
    *arguments: bytes | str, at: str = "", tags: tuple[str, ...] = (), repository_url: str | None = None
) -> list[str]:
    return [
        f"{one.line}:{one.column} {one.rule}"
        for one in problems(*arguments, at=at, tags=tags, repository_url=repository_url)
    ]


def test_orderly_file_has_no_problems() -> None:
    assert problems(ORDERLY, at="1.2.0", tags=("1.0.0", "1.1.0"), repository_url="https://github.com/o/r") == []


U = "## [Unreleased]\n"
R = "## [1.0.0] - 2026-01-01\n### Added\n- a\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", ["1:1 unreleased-missing"]),
        (R, ["1:1 unreleased-missing"]),
        (U + U, ["2:1 unreleased-duplicate"]),
        (R + U, ["4:1 unreleased-order"]),
        (U + "## [1.0.0] - 2026-01-01\n", ["2:1 section-empty"]),
        (U + "- a\n", ["2:1 entry-untyped"]),
        (U + "### fixed\n- a\n", ["2:5 type-unknown"]),
        (U + "### Added\n", ["2:1 group-empty"]),
        (U + "### Fixed\n- a\n### Fixed\n- b\n", ["4:1 group-duplicate"]),
        (U + "### Fixed\n- a\n### Added\n- b\n", ["4:1 group-order"]),
        (U + "## 1.0\n### Added\n- a\n", ["2:4 version-unknown"]),
        (U + R + R, ["5:1 version-duplicate"]),
        (U + R + R.replace("1.0.0", "1.1.0"), ["5:1 version-order"]),
        (U + R.replace("1.0.0", "1.1.0") + R.replace("2026-01", "2026-02"), ["2:14 date-order"]),
        (U + R.replace("1.0.0", "1.1.0") + R.replace("01-01", "01-02"), []),  # released where it is another day
        (U + R.replace(" - 2026-01-01", ""), ["2:1 date-missing"]),
        (U + R.replace("2026-01-01", "1/2/26"), ["2:14 date-malformed"]),
        (U + R.replace("2026-01-01", "2026-02-30"), ["2:14 date-impossible"]),
        (U + R.replace("2026-01-01", "2026-11-23"), ["2:14 date-future"]),
        (U + R + "\n[2.0.0]: /x\n", ["6:1 link-dead"]),
        (
            U + R + "\n[1.0.0]: https://h/o/r/compare/v0.1.0...v1.0.1\n",
            ["1:1 link-missing", "6:1 link-range"],
        ),
        (
            U
            + R
            + "\n[Unreleased]: https://h/o/r/compare/v11.0.0...HEAD\n[1.0.0]: https://h/o/r/releases/tag/v1.0.0\n",
            ["6:1 link-range"],
        ),
        ("# 1.1.0\n### Fixed\n- a\n\n1.0.0\n=====\n", ["1:1 heading-level", "1:1 unreleased-missing"]),
        (U + R + "\n# v0.9.0 (2020-01-01)\n", ["6:1 heading-level"]),
        (b"a\n\xff", ["2:1 not-utf8"]),
    ],
)
def test_each_problem_has_its_place(content: str, found: list[str]) -> None:
    assert rules(content) == found


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("1.1.0", []),
        ("1.0.9", ["15:1 version-behind"]),
        ("1.2.0", []),
    ],
)
def test_version_file_is_compared_with_the_newest_release(at: str, found: list[str]) -> None:
    assert rules(ORDERLY, at=at) == found


def test_version_without_entries_is_a_problem() -> None:
    assert rules(cut(ORDERLY), at="1.3.0") == ["3:1 version-ahead"]


@pytest.mark.parametrize(
    ("tags", "at", "found"),
    [
        ((), "1.1.0", []),
        (("1.0.0", "1.1.0"), "1.1.0", []),
        (("1.0.0",), "1.1.0", []),
        (("1.0.0",), "1.2.0", ["15:1 tag-missing"]),
        (("1.1.0",), "1.1.0", []),
        (("1.0.0", "1.0.5", "1.1.0", "1.1.0-rc.1"), "1.1.0", ["23:1 tag-unlisted"]),
    ],
)
def test_tags_are_compared_with_the_sections(tags: tuple[str, ...], at: str, found: list[str]) -> None:
    assert rules(ORDERLY, at=at, tags=tags) == found


def test_links_are_required_when_the_repository_is_known() -> None:
    assert rules(U + R) == []
    assert rules(U + R, repository_url="https://github.com/o/r") == ["1:1 link-missing", "2:1 link-missing"]


def test_misspelt_type_has_the_nearest_one_as_its_fix() -> None:
    [problem] = problems(U + "### Addded\n- a\n")
    assert str(problem) == "2: 'Addded' is not a type of change, did you mean Added?"


MISSPELT = "### Fixd\n- a\n"
HISTORY = U + MISSPELT + "".join(f"## [{number}] - 2026-01-01\n{MISSPELT}" for number in ("2.0.0", "1.0.0", "0.9.0"))


def test_error_is_a_warning_in_releases_before_the_newest() -> None:
    assert severities(HISTORY) == ["2 error", "5 error", "8 warning", "11 warning"]


def test_since_checks_the_releases_from_a_version_on_alike() -> None:
    config = LintRules(since=version("1.0.0"))
    assert severities(HISTORY, config=config) == ["2 error", "5 error", "8 error"]


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_configured_severity_is_that_of_every_release(severity: Severity) -> None:
    config = LintRules(severities={"type-unknown": severity})
    assert severities(HISTORY, config=config) == [f"{line} {severity}" for line in (2, 5, 8, 11)]


def test_rule_that_is_off_finds_nothing() -> None:
    assert severities(HISTORY, config=LintRules(severities={"type-unknown": "off"})) == []


@pytest.mark.parametrize("name", ["Documentation", "fixed", "Bug Fixes"])
def test_type_of_ones_own_or_by_another_name_is_a_warning(name: str) -> None:
    assert severities(HISTORY.replace("Fixd", name)) == [f"{line} warning" for line in (2, 5, 8, 11)]


def test_tag_without_section_is_an_error_if_it_is_the_newest() -> None:
    content = U + R
    assert severities(content, tags=("0.9.0", "1.0.0", "1.1.0")) == ["2 error", "2 warning"]
    assert severities(content, tags=("0.9.0", "1.0.0"), config=LintRules(since=version("1.0.0"))) == []


def test_sections_without_a_version_are_as_old_as_the_release_above() -> None:
    content = U + R + "## Summer\n### fixed\n- a\n"
    assert severities(content, config=LintRules(since=version("1.1.0"))) == []


@given(nasty().map(str.encode))
def test_every_problem_is_of_a_rule_in_the_reference(content: bytes) -> None:
    try:
        found = problems(content, at="1.0.0", tags=("1.0.0", "0.9.0"), repository_url="https://github.com/o/r")
    except KaizenError:
        return
    assert {one.rule for one in found} <= set(RULES)


def test_problems_as_sarif() -> None:
    log = json.loads(to_sarif(problems(U + "### fixed\n- a\n"), path="a b/CHANGELOG.md"))
    [run] = log["runs"]
    [result] = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (log["version"], result["ruleId"], result["level"]) == ("2.1.0", "type-unknown", "warning")
    assert run["tool"]["driver"]["rules"] == [
        {
            "id": "type-unknown",
            "shortDescription": {"text": RULES["type-unknown"].about},
            "defaultConfiguration": {"level": "error"},
        }
    ]
    assert place == {
        "artifactLocation": {"uri": "a%20b/CHANGELOG.md"},
        "region": {"startLine": 2, "startColumn": 5},
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("### fixed\n- a\n", "### Fixed\n- a\n"),
        ("### Addded ###\n- a\n", "### Added ###\n- a\n"),
        ("### Performance\n- a\n", "### Performance\n- a\n"),
        ("### Added\n- a\n### added\n- b\n", "### Added\n- a\n### Added\n- b\n"),
        ("### Fixed:\n- a\n", "### Fixed\n- a\n"),
        ("### Fixed:\n- a\n### Fixes\n- b\n", "### Fixed\n- a\n### Fixed\n- b\n"),
        ("### Fixed\n- a\n\n\n### Added\n- b", "### Added\n- b\n\n\n### Fixed\n- a"),
        ("### Fixed\n- a\n### Other\n- c\n### Added\n- b\n", "### Fixed\n- a\n### Other\n- c\n### Added\n- b\n"),
        ("### Fixed\n<div>\n- a\n\n### Added\n- b\n", "### Added\n- b\n\n### Fixed\n<div>\n- a\n"),
        ("### Fixed\n- a\n### Added\n<div>\n- b\n", "### Fixed\n- a\n### Added\n<div>\n- b\n"),
    ],
)
def test_types_and_their_order_are_fixed_where_it_is_safe(before: str, after: str) -> None:
    assert fix_changelog((U + before).encode(), repository_url=None) == (U + after).encode()


WORDS_OF_OTHER_MEANING = [
    *(
        "Undeprecated",
        "Unfixed",
        "Moved",
        "Mixed",
        "Filed",
        "Charged",
        "Changes",
        "Depreciated",
        "Unchanged",
        "Readded",
    ),
    *("Padded", "Secured", "Improved", "Prefixed", "Address", "Hanged", "Exchanged", "Not fixed", "Known issues"),
    *("Performance", "Documentation", "Un-deprecated", "No longer deprecated", "To be removed", "Changed (breaking)"),
    *("Breaking Changes", "Fixed (parser)", "Ajouté", "Features"),
]


@pytest.mark.parametrize("word", WORDS_OF_OTHER_MEANING)
def test_a_type_is_not_respelt_where_it_may_mean_something_else(word: str) -> None:
    content = f"{U}### {word}\n\n- a\n".encode()

    assert fix_changelog(content, repository_url=None) == content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("fixed", "Fixed"),
        ("Fixed:", "Fixed"),
        ("Fixd", "Fixed"),
        ("Chnaged", "Changed"),
        ("Removved", "Removed"),
        ("Bug fixes", "Fixed"),
        ("Deprecations", "Deprecated"),
        ("\U0001f41b fixed", "\U0001f41b Fixed"),
        ("corrigé", "Corrigé"),
        ("Securite", "Sécurité"),
    ],
)
def test_a_type_is_respelt_where_it_can_mean_nothing_else(before: str, after: str) -> None:
    fixed = fix_changelog(f"{U}### {before}\n\n- a\n".encode(), repository_url=None)

    assert fixed == f"{U}### {after}\n\n- a\n".encode()


def test_a_word_that_resembles_a_type_is_offered() -> None:
    assert rules(f"{U}### Undeprecated\n\n- a\n".encode()) == ["2:5 type-unknown"]


def test_a_heading_that_may_be_unreleased_is_named_with_its_line() -> None:
    found = rules("# Log\n\n## À venir\n\n### Fixed\n\n- a\n\n## [1.0.0] - 2026-01-01\n\n### Added\n\n- b\n".encode())

    assert found == ["3:1 unreleased-unknown"]


def test_missing_links_are_added_next_to_adjacent_releases() -> None:
    content = ORDERLY.replace(b"[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0\n", b"")
    assert fix_changelog(content, repository_url=None) == ORDERLY


def test_all_links_are_added_for_a_known_repository() -> None:
    content = ORDERLY[: ORDERLY.index(b"\n[unreleased]: ")]
    expected = ORDERLY.replace(b"[unreleased]: ", b"[Unreleased]: ")
    assert fix_changelog(content, repository_url="https://github.com/o/r") == expected


def structural(content: bytes) -> list[str]:
    expected = {"unreleased-missing", "unreleased-duplicate", "link-missing", "link-range", "version-duplicate"}
    return [one for one in rules(content) if one.split()[1] in expected]


@given(nasty().map(str.encode))
@example(b"## 1.0.0\n## [1.0.0]\n## [2.0.0]\n\n[2.0.0]: https://h/o/r/compare/v1.0.0...v2.0.0\n")
@example(b"## [1.0.0] - 2020-01-01\n```")
@example(b"## 1.0.0\n### fixed\n### Fixd\n- a\n")
def test_fix_is_idempotent(content: bytes) -> None:
    try:
        once = fix_changelog(content, repository_url="https://github.com/o/r")
    except KaizenError:
        return
    assert fix_changelog(once, repository_url="https://github.com/o/r") == once


@given(releasable())
def test_cut_adds_no_structural_problem(content: bytes) -> None:
    try:
        before = {one.split()[1] for one in structural(content)}
        result = cut(content, to="7.7.7")
    except KaizenError:
        return
    assert {one.split()[1] for one in structural(result)} <= before


def test_pre_release_is_older_than_its_release() -> None:
    assert rules(U + R + R.replace("1.0.0", "1.0.0-rc.1")) == []


@pytest.mark.parametrize("heading", ["[1.1.0]", "[1.1.0] - Unreleased", "[1.1.0] - TBD"])
def test_release_without_a_date_is_neither_to_be_tagged_nor_ahead_of_version(heading: str) -> None:
    found = problems(U + f"## {heading}\n### Fixed\n- a\n" + R, at="1.0.0", tags=("0.9.0", "1.0.0"))

    assert {one.rule for one in found} <= {"date-missing", "date-malformed", "tag-unlisted"}
    assert {one.severity for one in found} == {"warning"}


def test_release_with_a_date_is_to_be_tagged() -> None:
    content = U + "## [1.1.0] - 2026-01-02\n### Fixed\n- a\n" + R

    assert {"tag-missing", "version-behind"} <= {
        one.rule for one in problems(content, at="1.0.0", tags=("0.9.0", "1.0.0"))
    }
