"""Releases as Markdown and JSON."""

import json

from hypothesis import given

from kaizen_tasks.domain.changelog.model import parse_changelog
from kaizen_tasks.domain.changelog.render.sections import to_json, to_json_list, to_markdown
from kaizen_tasks.errors import KaizenError
from tests.domain.changelog.documents import ORDERLY, nasty, unreleased


def test_one_release_is_shown_as_written() -> None:
    log = parse_changelog(ORDERLY)
    assert to_markdown(log, log.releases[:1]) == "A word before.\n\n### Added\n\n- Old\n"


def test_several_releases_are_shown_with_their_headings() -> None:
    log = parse_changelog(ORDERLY)
    text = to_markdown(log, log.releases)
    assert text.startswith("## [1.1.0] - 2026-02-03\n\nA word before.")
    assert text.endswith(
        "\n[1.1.0]: https://github.com/o/r/compare/v1.0.0...v1.1.0\n[1.0.0]: https://github.com/o/r/releases/tag/v1.0.0\n"
    )


def test_used_definitions_are_included() -> None:
    log = parse_changelog(unreleased("### Fixed\n- [a] `[b]`\n\n[a]: docs/a.md\n[c]: http://c\n"))
    text = to_markdown(log, log.sections, base_url="https://h/o/r/blob/v1")
    assert text == "### Fixed\n- [a] `[b]`\n\n[a]: https://h/o/r/blob/v1/docs/a.md\n"


def test_definitions_are_shown_as_written_with_their_titles() -> None:
    log = parse_changelog(unreleased("### Fixed\n- [a] [b]\n\n[a]: <c d> 'e'\n[b]:\n  f.md \"g\"\n"))
    text = to_markdown(log, log.sections, base_url="https://h/x")
    assert text.partition("\n\n")[2] == "[a]: <https://h/x/c d> 'e'\n[b]:\n  https://h/x/f.md \"g\"\n"


def test_relative_links_are_made_absolute_except_in_code() -> None:
    log = parse_changelog(unreleased("- [a](b.md) [c](https://d) [e](#f) `[g](h)`\n\n~~~\n[i](j)\n~~~\n"))
    text = to_markdown(log, log.sections, base_url="https://h/x/")
    assert text == "- [a](https://h/x/b.md) [c](https://d) [e](#f) `[g](h)`\n\n~~~\n[i](j)\n~~~\n"


def test_release_as_json() -> None:
    newer, older = parse_changelog(ORDERLY).releases
    assert json.loads(to_json(newer)) == {
        "version": "1.1.0",
        "title": "1.1.0",
        "date": "2026-02-03",
        "yanked": False,
        "summary": "A word before.",
        "groups": [{"type": "Added", "name": "Added", "entries": [{"text": "Old", "breaking": False, "line": 21}]}],
    }
    assert [one["version"] for one in json.loads(to_json_list([newer, older]))] == ["1.1.0", "1.0.0"]


@given(nasty())
def test_any_readable_text_has_markdown_and_json(text: str) -> None:
    try:
        log = parse_changelog(text.encode())
        shown, listed = to_markdown(log, log.sections), json.loads(to_json_list(log.sections))
    except KaizenError:
        return
    assert shown
    assert len(listed) == len(log.sections)
