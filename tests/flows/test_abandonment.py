"""A release that was begun and will not be finished is given up."""

from __future__ import annotations

import pytest
from semver import Version

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.abandonment import plan_abandonment
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.promote.select import find_verified_release
from tests.fakes.tools import FakeTools
from tests.flows.release.test_claims import note, release

VERSION = Version.parse("0.2.0")


def abandon(tools: FakeTools, version: Version = VERSION) -> None:
    """Run `inv release.abandon`."""
    tools.next_command()
    change = plan_abandonment(version, tools, reason="credentials are gone")
    execute_change(change, tools, confirm=lambda _environments, _question: None, command="inv release.abandon")


def test_abandoned_number_is_not_used_again() -> None:
    tools = FakeTools()
    started = release(tools, "push staging")

    abandon(tools)

    assert (tools.upstream.claims, tools.upstream.abandoned) == ({}, {"v0.2.0": started.commit})
    assert [entry.event for entry in tools.ledger.all_entries] == [Event.WITHDRAWN]
    assert tools.scm.pending_releases() == {}
    image = tools.registry.find_image("staging-web-app", "v0.2.0")
    assert image is not None
    assert release(tools).name == "v0.3.0"
    assert tools.registry.find_image("staging-web-app", "v0.2.0") == image


def test_abandoning_twice_is_already_done() -> None:
    tools = FakeTools()
    release(tools, "push staging")
    abandon(tools)

    abandon(tools)

    assert tools.reporter.labels_with("done") == ["abandon staging"]
    assert len(tools.ledger.all_entries) == 1


def test_abandoned_release_is_not_promoted() -> None:
    """Even if it has been verified, as one whose tag could not be pushed."""
    tools = FakeTools()
    release(tools, "record staging")
    abandon(tools)

    assert ("v0.2.0 is given up", "staging still runs it: inv rollback --env staging") in tools.reporter.summaries
    with pytest.raises(Refused, match=r"v0.2.0 was given up in staging .* credentials are gone"):
        find_verified_release(tools.settings.first_stage, None, tools)


def test_image_that_nobody_claimed_is_abandoned() -> None:
    """It was pushed by a version of the tasks that made no claims."""
    tools = FakeTools()
    release(tools, "push staging")
    tools.upstream.claims.clear()
    tools.scm.drop_pending("v0.2.0")
    tools.scm.commit({"app.py": b"something else\n"})

    with pytest.raises(Refused) as refused:
        release(tools)
    assert "inv release.abandon --release v0.2.0" in refused.value.hint
    abandon(tools)

    assert release(tools).name == "v0.3.0"


def test_released_version_is_not_abandoned() -> None:
    tools = FakeTools()
    release(tools)

    with pytest.raises(Refused, match=r"v0.2.0 is released: it has its tag v0.2.0"):
        abandon(tools)


def test_version_that_was_never_begun_is_refused() -> None:
    tools = FakeTools()
    note(tools, "Something")

    with pytest.raises(Refused, match=r"no release v0\.2\.0 was begun"):
        abandon(tools)
