"""Versions as git tags, and back."""

import pytest
from semver import Version

from kaizen_tasks.domain.tag_pattern import TagPattern


@pytest.mark.parametrize(
    ("template", "version", "tag"),
    [
        ("v{version}", "1.2.3", "v1.2.3"),
        ("{version}", "1.2.3-rc.1", "1.2.3-rc.1"),
        ("web/v{version}-final", "1.2.3", "web/v1.2.3-final"),
    ],
)
def test_tag_of_a_version_is_parsed_back(template: str, version: str, tag: str) -> None:
    pattern = TagPattern(template=template)
    assert pattern.format(Version.parse(version)) == tag
    assert pattern.parse(tag) == Version.parse(version)


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("v{version}", "1.2.3"),
        ("v{version}", "vv1.2.3"),
        ("{version}", "v1.2.3"),
        ("v{version}", "v1.2"),
        ("v{version}", "v1.2.3+build"),
        ("v{version}", "nightly"),
        ("web-v{version}", "api-v1.2.3"),
    ],
)
def test_tag_of_another_form_has_no_version(template: str, tag: str) -> None:
    assert TagPattern(template=template).parse(tag) is None


@pytest.mark.parametrize(
    ("template", "tag"),
    [
        ("v{version}", "1.2.3"),
        ("{version}", "v1.2.3"),
        ("web-v{version}", "web-1.2.3"),
        ("web/{version}-final", "web/v1.2.3-final"),
        ("dev{version}", "devv1.2.3"),
    ],
)
def test_other_form_has_v_or_has_it_not(template: str, tag: str) -> None:
    assert TagPattern(template=template).other_form.parse(tag) == Version.parse("1.2.3")
