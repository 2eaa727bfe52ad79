"""Versions, the VERSION file and bumps."""

from __future__ import annotations

from typing import cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.version import BOM, Part
from kaizen_tasks.errors import Refused, UsageError

MOVES = tuple(part for part in get_args(Part) if part != "auto")

numbers = st.integers(min_value=0, max_value=10**6)
identifiers = st.from_regex(r"(?:0|[1-9][0-9]{0,4}|[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,4})", fullmatch=True)
prereleases = st.none() | st.lists(identifiers, min_size=1, max_size=3).map(".".join)
semantic = st.builds(Version, numbers, numbers, numbers, prereleases)
styles = st.tuples(st.sampled_from([b"", BOM]), st.sampled_from([b"", b"\n", b"\r\n"]))


@given(version=semantic, prefix=st.sampled_from(["", "v"]))
def test_version_is_parsed_with_and_without_v(version: Version, prefix: str) -> None:
    assert versions.parse_version(f"{prefix}{version}") == version


@given(version=semantic, following=semantic, style=styles)
def test_version_file_keeps_bom_and_line_ending(
    version: Version, following: Version, style: tuple[bytes, bytes]
) -> None:
    bom, ending = style
    before = bom + str(version).encode() + ending

    after = versions.render_version_file(before, following)

    assert after == bom + str(following).encode() + ending
    assert versions.parse_version_file(after) == following


@given(version=semantic, part=st.sampled_from(MOVES))
def test_bump_of_any_part_is_higher(version: Version, part: str) -> None:
    assert versions.bump_version(version, cast("Part", part)) > version


@given(version=semantic)
def test_bump_of_a_larger_part_is_not_lower(version: Version) -> None:
    patch, feature, major = (versions.bump_version(version, part) for part in ("patch", "feature", "major"))

    assert patch <= feature <= major


@pytest.mark.parametrize(
    ("now", "part", "following"),
    [
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "feature", "1.3.0"),
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "rc", "1.3.0-rc.1"),
        ("1.3.0-rc.1", "rc", "1.3.0-rc.2"),
        ("1.3.0-rc.9", "rc", "1.3.0-rc.10"),
        ("1.3.0-rc.2", "patch", "1.3.0"),
        ("1.3.0-rc.2", "feature", "1.3.0"),
        ("1.3.0-rc.2", "major", "2.0.0"),
        ("1.3.1-rc.1", "feature", "1.4.0"),
        ("2.0.0-rc.1", "major", "2.0.0"),
    ],
)
def test_bump_of_a_pre_release_is_the_release_it_announces(now: str, part: str, following: str) -> None:
    assert str(versions.bump_version(Version.parse(now), cast("Part", part))) == following


@pytest.mark.parametrize("text", ["", "v", "1", "1.2", "01.2.3", "vv1.2.3", "V1.2.3", "1.2.3 ", "1.2.3\n", "1.2.٣"])
def test_text_that_is_not_a_version_is_refused_with_its_origin(text: str) -> None:
    with pytest.raises(UsageError, match=r"--to: .* is not a version") as refused:
        versions.parse_version(text, origin="--to")

    assert refused.value.exit_code == 2


def test_build_metadata_is_refused_with_a_correction() -> None:
    """An image tag cannot contain `+`."""
    with pytest.raises(UsageError, match=r"\+linux") as refused:
        versions.parse_version("v1.2.3-rc.1+linux")

    assert refused.value.hint == "write 1.2.3-rc.1"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", BOM, b"v1.2.3\n", b" 1.2.3\n", b"1.2.3\n\n", b"1.2.3\n1.2.4\n", b"1.2.3 # comment\n", b"1.2.3\x0b"],
)
def test_version_file_must_be_one_bare_version(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"^VERSION: "):
        versions.parse_version_file(content)


def test_missing_or_binary_version_file_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="no such file"):
        versions.parse_version_file(None)
    with pytest.raises(UsageError, match="not UTF-8 at byte 1"):
        versions.parse_version_file(b"1\xff.2.3")


def test_error_quotes_only_the_start_of_a_long_file() -> None:
    with pytest.raises(UsageError) as refused:
        versions.parse_version_file(b"1.2.3\n" * 1000)

    assert len(str(refused.value).splitlines()) <= 3
    assert len(refused.value.message) < 100


def test_new_version_file_ends_with_a_newline() -> None:
    assert versions.render_version_file(None, Version.parse("0.1.0")) == b"0.1.0\n"


@pytest.mark.parametrize(("text", "part"), [("minor", "feature"), *((part, part) for part in get_args(Part))])
def test_part_minor_means_feature(text: str, part: str) -> None:
    assert versions.parse_part(text) == part


def test_unknown_part_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as refused:
        versions.parse_part("pacth")

    assert all(part in refused.value.hint for part in get_args(Part))


@pytest.mark.parametrize(("wanted", "last"), [("1.2.3", "1.2.3"), ("1.2.2", "1.2.3"), ("1.2.3-rc.1", "1.2.3")])
def test_version_not_above_the_last_release_is_refused(wanted: str, last: str) -> None:
    with pytest.raises(Refused, match=f"{wanted} does not come after the last release {last}"):
        versions.require_newer(Version.parse(wanted), Version.parse(last))


@pytest.mark.parametrize("last", [None, "1.2.2", "1.2.3-rc.9"])
def test_version_above_the_last_release_is_accepted(last: str | None) -> None:
    wanted, before = Version.parse("1.2.3"), Version.parse(last) if last else None

    versions.require_newer(wanted, before)

    assert versions.latest_version(tuple(filter(None, (before, wanted)))) == wanted


def test_latest_of_no_versions_is_none() -> None:
    assert versions.latest_version(()) is None


def test_image_tag_starts_with_v() -> None:
    assert versions.image_tag(Version.parse("1.2.3-rc.1")) == "v1.2.3-rc.1"
