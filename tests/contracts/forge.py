"""What every forge must do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import evolve

from kaizen_tasks.domain.forge import ReleasePage

if TYPE_CHECKING:
    from kaizen_tasks.ports.forge import Forge

PAGE = ReleasePage(tag="v1.2.3", title="v1.2.3", notes="### Fixed\n\n- Paces\n", is_prerelease=False)
SOURCE, TARGET = "release/next", "main"


class Site(Protocol):
    """A forge, and what its server presents as the newest release."""

    forge: Forge

    @property
    def latest(self) -> str:
        """The tag of the newest release; empty where the server has no mark for it."""


class ForgeContract:
    """Subclasses provide the fixture `site`."""

    def test_there_is_no_pull_request_before_it_is_opened(self, site: Site) -> None:
        assert site.forge.find_pull_request(source=SOURCE, target=TARGET) is None

    def test_pull_request_is_found_by_its_branches(self, site: Site) -> None:
        opened = site.forge.open_pull_request(source=SOURCE, target=TARGET, title="Release v1.2.3", body="- Paces")

        assert (opened.title, opened.body) == ("Release v1.2.3", "- Paces")
        assert site.forge.find_pull_request(source=SOURCE, target=TARGET) == opened
        assert site.forge.find_pull_request(source=SOURCE, target="stable/1.x") is None
        assert site.forge.find_pull_request(source="fix", target=TARGET) is None

    def test_pull_request_that_somebody_else_has_opened_is_returned(self, site: Site) -> None:
        opened = site.forge.open_pull_request(source=SOURCE, target=TARGET, title="Release v1.2.3", body="")

        assert site.forge.open_pull_request(source=SOURCE, target=TARGET, title="Other", body="") == opened

    def test_pull_request_is_updated(self, site: Site) -> None:
        opened = site.forge.open_pull_request(source=SOURCE, target=TARGET, title="Release v1.2.3", body="- Paces")

        site.forge.update_pull_request(opened.number, title="Release v1.3.0", body="- Plans")

        expected = evolve(opened, title="Release v1.3.0", body="- Plans")
        assert site.forge.find_pull_request(source=SOURCE, target=TARGET) == expected

    def test_tag_has_no_page_before_it_is_published(self, site: Site) -> None:
        assert site.forge.find_release("v1.2.3") is None

    def test_page_shows_what_was_published(self, site: Site) -> None:
        site.forge.publish_release(PAGE, is_latest=True)

        assert site.forge.find_release("v1.2.3") == PAGE
        assert site.latest in {"", "v1.2.3"}

    def test_publishing_again_replaces_the_notes(self, site: Site) -> None:
        page = evolve(PAGE, notes="- Other paces")
        site.forge.publish_release(PAGE, is_latest=True)

        site.forge.publish_release(page, is_latest=True)

        assert site.forge.find_release("v1.2.3") == page

    def test_prerelease_is_marked_and_not_the_latest(self, site: Site) -> None:
        page = evolve(PAGE, tag="v1.3.0-rc.1", title="v1.3.0-rc.1", is_prerelease=True)
        site.forge.publish_release(PAGE, is_latest=True)

        site.forge.publish_release(page, is_latest=False)

        assert site.forge.find_release("v1.3.0-rc.1") == page
        assert site.latest in {"", "v1.2.3"}

    def test_release_of_an_older_line_is_not_the_latest(self, site: Site) -> None:
        site.forge.publish_release(PAGE, is_latest=True)

        site.forge.publish_release(evolve(PAGE, tag="v1.1.9"), is_latest=False)

        assert site.latest in {"", "v1.2.3"}

    def test_tag_may_have_a_slash(self, site: Site) -> None:
        page = evolve(PAGE, tag="web/v1.2.3")

        site.forge.publish_release(page, is_latest=True)

        assert site.forge.find_release("web/v1.2.3") == page
