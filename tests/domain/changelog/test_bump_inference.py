"""The part of the version that entries require."""

import pytest

from kaizen_tasks.domain.changelog.bump_inference import BumpRules, ChangePart, find_decision_exceeding, infer_part
from kaizen_tasks.domain.changelog.format import ChangelogFormat
from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.section import Section
from kaizen_tasks.errors import Refused
from tests.domain.changelog.documents import unreleased, version


def section(body: str) -> Section:
    return parse_changelog(unreleased(body)).sections[0]


@pytest.mark.parametrize(
    ("body", "current", "part", "line"),
    [
        ("### Fixed\n- a\n- b\n### Security\n- c\n", "1.0.0", "patch", 3),
        ("### Fixed\n- a\n### Added\n- b\n", "1.0.0", "feature", 5),
        ("### Deprecated\n- a\n", "0.1.0", "feature", 3),
        ("### Performance\n- a\n", "1.0.0", "feature", 3),
        ("### Added\n- a\n### Removed\n- b\n", "1.0.0", "major", 5),
        ("### Added\n- a\n### Removed\n- b\n", "0.9.0", "feature", 3),
        ("### Fixed\n- a\n- **Breaking:** b\n", "1.0.0", "major", 4),
        ("### Fixed\n- a\n- **Breaking:** b\n", "0.9.0", "feature", 4),
    ],
)
def test_part_is_that_of_the_first_most_important_entry(body: str, current: str, part: str, line: int) -> None:
    reasoned = infer_part(section(body), current_version=version(current))
    assert (reasoned.part, reasoned.entry.line) == (part, line)


def test_reason_is_one_line() -> None:
    reasoned = infer_part(section("### Fixed\n- **Breaking:** b\n  c\n"), current_version=version("1.0.0"))
    assert reasoned.reason == "major: line 3 (breaking, Fixed): **Breaking:** b c"


def test_reason_shortens_a_long_entry() -> None:
    body = f"### Fixed\n- Paces {'of runners who walk ' * 4}\n  are rounded\n"
    reasoned = infer_part(section(body), current_version=version("1.0.0"))
    entry = "Paces of runners who walk of runners who walk of runners who walk of …"
    assert reasoned.reason == f"patch: line 3 (Fixed): {entry}"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("- a\n", 2),
        ("A text.\n", 2),
        ("- a\n  - b\n", 2),
        ("- a\n### Fixed\n- b\n", 2),
        ("Text.\n\n- a\n### Added\n- b\n", 4),
    ],
)
def test_entries_without_a_type_are_refused(body: str, line: int) -> None:
    with pytest.raises(Refused, match=f"line {line} has no type of change"):
        infer_part(section(body), current_version=version("1.0.0"))


@pytest.mark.parametrize(
    ("body", "part", "line"),
    [
        ("- a\n### Removed\n- b\n", "major", 4),
        ("- a\n- **Breaking:** b\n", "major", 3),
        ("A summary.\n\n### Fixed\n- b\n", "patch", 5),
        ("### Parser\n#### Fixed\n- b\n", "patch", 4),
        ("### Breaking Changes\n- b\n", "major", 3),
        ("### Fixed (breaking)\n- b\n", "major", 3),
        ("### Removed\n- Nothing.\n\n### Fixed\n- b\n", "patch", 6),
        ("### Corrigé\n- a\n### Ajouté\n- b\n", "feature", 5),
    ],
)
def test_part_of_headings_and_entries_of_many_shapes(body: str, part: str, line: int) -> None:
    decision = infer_part(section(body), current_version=version("1.0.0"))

    assert (decision.part, decision.entry.line) == (part, line)


@pytest.mark.parametrize(
    ("body", "part", "line"),
    [
        ("### Added\n- a\n", "patch", 3),
        ("### Added\n- a\n", "feature", 0),
        ("### Added\n- a\n", "major", 0),
        ("### Removed\n- a\n", "feature", 3),
        ("- a\n", "patch", 0),
        ("- a\n- BREAKING: b\n", "feature", 3),
        ("A text.\n", "patch", 0),
        ("### Parser\n- a\n", "patch", 0),
        ("### Parser\n- a\n### CLI\n- feat!: b\n", "patch", 5),
        ("- a\n### Fixed\n- b\n", "patch", 0),
    ],
)
def test_entry_that_exceeds_the_chosen_part_is_found(body: str, part: ChangePart, line: int) -> None:
    decision = find_decision_exceeding(section(body), part=part, current_version=version("1.0.0"))
    assert (decision.entry.line if decision else 0) == line


@pytest.mark.parametrize(
    ("body", "part", "line"),
    [
        ("### Changed\n- a\n", "patch", 3),
        ("### Changed\n- a\n### Fixed\n- b\n", "patch", 5),
        ("### Added\n- a\n### Changed\n- b\n", "feature", 3),
        ("### Changed\n- a\n### Removed\n- b\n", "major", 5),
        ("### changed\n- a\n- **Breaking:** b\n", "major", 4),
    ],
)
def test_changed_follows_the_other_entries(body: str, part: str, line: int) -> None:
    decision = infer_part(section(body), current_version=version("1.0.0"))

    assert (decision.part, decision.entry.line) == (part, line)


@pytest.mark.parametrize(
    ("configured", "body", "part"),
    [
        ("auto", "### Changed\n- a\n", "patch"),
        ("strict", "### Changed\n- a\n", "feature"),
        ("strict", "### Fixed\n- a\n### Changed\n- b\n", "feature"),
        ({"Changed": "minor"}, "### Changed\n- a\n", "feature"),
        ({"changed": "major"}, "### Fixed\n- a\n### Changed\n- b\n", "major"),
        ({"Performance": "patch"}, "### Performance\n- a\n", "patch"),
        ({"Performance": "follow"}, "### Performance\n- a\n### Removed\n- b\n", "major"),
        ({"Added": "patch"}, "### Added\n- a\n### Changed\n- b\n", "patch"),
        ({"Removed": "patch"}, "### Removed\n- a\n", "patch"),
        ({"Removed": "patch"}, "### Removed\n- **Breaking:** a\n", "major"),
        ({"Performance": "patch"}, "### Speed\n- a\n", "feature"),
    ],
)
def test_configured_types_require_their_part(configured: str | dict[str, str], body: str, part: str) -> None:
    rules = BumpRules.of_configuration(configured)

    assert infer_part(section(body), current_version=version("1.0.0"), rules=rules).part == part


def test_part_is_inferred_from_several_sections() -> None:
    sections = parse_changelog(unreleased("### Fixed\n- a\n## [1.1.0-rc.1]\n### Added\n- b\n")).sections
    decision = infer_part(*sections, current_version=version("1.0.0"))

    assert decision.reason == "feature: line 6 (Added): b"


@pytest.mark.parametrize(("configured", "part"), [("auto", "patch"), ("strict", "feature")])
def test_a_type_of_its_own_follows_as_changed_does(configured: str, part: str) -> None:
    own_types = ChangelogFormat(type_names=(("Docs", "Documentation"),))
    log = parse_changelog(unreleased("### Fixed\n- a\n### Docs\n- b\n"), own_types)
    rules = BumpRules.of_configuration(configured)

    assert infer_part(log.sections[0], current_version=version("1.0.0"), rules=rules).part == part
