"""The part of the version that entries require."""

import pytest

from kaizen_tasks.domain.changelog.bump_inference import ChangePart, find_entry_exceeding, infer_part
from kaizen_tasks.domain.changelog.model import Section, parse_changelog
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


def test_entries_without_a_type_are_refused() -> None:
    with pytest.raises(Refused, match="no type of change"):
        infer_part(section("- a\n"), current_version=version("1.0.0"))


@pytest.mark.parametrize(
    ("body", "part", "line"),
    [
        ("### Added\n- a\n", "patch", 3),
        ("### Added\n- a\n", "feature", 0),
        ("### Added\n- a\n", "major", 0),
        ("### Removed\n- a\n", "feature", 3),
        ("- a\n", "patch", 0),
    ],
)
def test_entry_that_exceeds_the_chosen_part_is_found(body: str, part: ChangePart, line: int) -> None:
    entry = find_entry_exceeding(section(body), part, version("1.0.0"))
    assert (entry.line if entry else 0) == line
