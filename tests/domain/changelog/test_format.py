"""What headings mean, by default and as an app configures it."""

import pytest

from kaizen_tasks.domain.changelog.format import DEFAULT_FORMAT, ChangelogFormat
from kaizen_tasks.domain.changelog.model import parse_changelog

FRENCH = ChangelogFormat(
    unreleased_names=("Prochaine",), type_names=(("Nouveautés", "Added"), ("Documentation", "Documentation"))
)


@pytest.mark.parametrize("name", ["Unreleased", "unreleased", "UNRELEASED"])
def test_unreleased_is_known_in_any_case(name: str) -> None:
    assert DEFAULT_FORMAT.is_unreleased(name)


def test_a_configured_name_is_one_of_unreleased() -> None:
    log = parse_changelog(b"## [Prochaine]\n\n### Fixed\n\n- a\n", FRENCH)

    assert log.unreleased
    assert log.unreleased.title.label == "Prochaine"


def test_a_configured_heading_stands_for_its_type() -> None:
    log = parse_changelog("## [Prochaine]\n\n### nouveautés\n\n- a\n\n### Documentation\n\n- b\n".encode(), FRENCH)

    assert log.unreleased
    assert [group.type for group in log.unreleased.groups] == ["Added", "Documentation"]


def test_own_types_come_after_the_six() -> None:
    assert FRENCH.types[-2:] == ("Security", "Documentation")
