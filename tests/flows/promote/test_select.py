"""Which release can be promoted from a stage."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.duration import Seconds
from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.release import Image
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.promote import select
from tests.fakes.clock import START
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools


def told(*said: str) -> FakeTools:
    """Return a world whose ledger says this: `environment event version`, oldest first."""
    tools = FakeTools()
    for minute, (environment, event, version) in enumerate(each.split() for each in said):
        entry = LedgerEntry(
            environment=environment,
            event=Event(event),
            version=version,
            commit=f"commit of {version}",
            digest=f"sha256:{version}",
            at=START + timedelta(minutes=minute),
            actor="ada@laptop",
        )
        tools.ledger.append(entry)
    return tools


def verified_in(stage: str, tools: FakeTools, wanted: str = "") -> str:
    """Return the digest that can be promoted from a stage."""
    version = Version.parse(wanted) if wanted else None
    return select.find_verified_release(tools.settings.stage(stage), version, tools).digest


def test_verified_release_has_version_commit_and_digest_of_its_ledger_entry() -> None:
    tools = told("staging verified v1.2.3")

    found = select.find_verified_release(tools.settings.stage("staging"), None, tools)

    assert (found.name, found.commit, found.digest) == ("v1.2.3", "commit of v1.2.3", "sha256:v1.2.3")


@pytest.mark.parametrize(
    ("said", "wanted", "digest"),
    [
        (["staging verified v1.0.0", "staging verified v1.1.0"], "", "sha256:v1.1.0"),
        (["staging verified v1.0.0", "staging verified v1.1.0"], "1.0.0", "sha256:v1.0.0"),
        (["staging verified v1.0.0", "staging deployed v1.1.0"], "", "sha256:v1.0.0"),
        (["staging verified v1.1.0", "staging rollback v1.0.0", "staging verified v1.0.0"], "", "sha256:v1.0.0"),
        (["staging verified v1.0.0", "prod verified v9.0.0"], "", "sha256:v1.0.0"),
    ],
)
def test_last_verified_release_is_selected_unless_a_version_is_named(said: list[str], wanted: str, digest: str) -> None:
    """What was deployed and not verified is passed over."""
    assert verified_in("staging", told(*said), wanted) == digest


@pytest.mark.parametrize(
    ("said", "wanted", "what"),
    [
        (["staging verified v1.0.0", "staging verified v1.1.0", "staging failed v1.1.0"], "", r"v1\.1\.0 failed in"),
        (["staging verified v1.1.0", "staging rollback v1.0.0"], "", r"v1\.1\.0 was rolled back in staging"),
        (["staging verified v1.1.0", "staging rollback v1.0.0", "staging verified v1.0.0"], "1.1.0", "was rolled back"),
        ([], "", "no release was verified in staging"),
        (["staging deployed v1.0.0"], "", "no release was verified in staging"),
        (["staging verified v1.0.0"], "1.1.0", r"v1\.1\.0 was never verified in staging"),
        (["staging deployed v1.1.0"], "1.1.0", r"v1\.1\.0 was never verified in staging"),
    ],
)
def test_unverified_release_is_refused(said: list[str], wanted: str, what: str) -> None:
    with pytest.raises(Refused, match=what) as refused:
        verified_in("staging", told(*said), wanted)

    assert refused.value.state == "nothing has been changed"


BETA = ["mark verified v1.0.0", "shane verified v1.0.0", "dom verified v1.0.0"]


def test_release_is_selected_from_a_group_that_verified_the_same_one() -> None:
    assert verified_in("beta", told(*BETA)) == "sha256:v1.0.0"


def test_group_that_verified_different_releases_is_refused() -> None:
    tools = told(*BETA, "shane verified v1.1.0")

    with pytest.raises(Refused, match=r"the same release: mark v1\.0\.0, shane v1\.1\.0, dom") as refused:
        verified_in("beta", tools)

    assert "--release" in refused.value.hint
    assert verified_in("beta", tools, "1.0.0") == "sha256:v1.0.0"


def test_held_environment_does_not_choose_the_release_of_a_group() -> None:
    """It keeps its hotfix."""
    tools = told(*BETA, "shane verified v1.1.0")
    tools.holds.add(Hold(environment="shane", reason="hotfix", actor="ada@laptop", since=START))

    assert verified_in("beta", tools) == "sha256:v1.0.0"


def test_group_with_an_environment_that_verified_nothing_is_refused() -> None:
    """The error names it."""
    with pytest.raises(Refused, match="no release was verified in dom"):
        verified_in("beta", told(*BETA[:2]))


@pytest.mark.parametrize("stage", ["staging", "prod", "beta"])
def test_named_release_is_found_in_the_repositories_of_earlier_stages(stage: str) -> None:
    """With the commit that it was built from."""
    tools = told()
    image = Image(digest="sha256:x", media_type=OCI_MANIFEST, version="v1.0.0", revision="4f2a")
    tools.registry.put("staging-web-app", "v1.0.0", image)

    found = select.find_named_release(tools.settings.stage(stage), Version.parse("1.0.0"), tools)

    assert (found.name, found.digest, found.commit) == ("v1.0.0", "sha256:x", "4f2a")


def test_named_release_without_an_image_is_refused() -> None:
    with pytest.raises(Refused, match=r"v1\.0\.0 is in no repository of staging or of a stage before it"):
        select.find_named_release(told().settings.stage("staging"), Version.parse("1.0.0"), told())


@pytest.mark.parametrize(
    ("events", "what"),
    [
        (
            ("staging deployed v1.1.0", "staging failed v1.1.0"),
            r"^v1\.1\.0 failed in staging \d.* ago by ada@laptop: ",
        ),
        (
            ("staging deployed v1.1.0", "staging rollback v1.0.0", "staging verified v1.0.0"),
            r"^v1\.1\.0 was rolled back in staging \d.* ago by ada@laptop: ",
        ),
        (("staging deployed v1.1.0", "staging withdrawn v1.1.0"), r"^v1\.1\.0 was given up in staging "),
    ],
)
def test_release_that_failed_before_it_was_verified_is_refused_with_who_when_and_why(
    events: tuple[str, ...], what: str
) -> None:
    with pytest.raises(Refused, match=what):
        verified_in("staging", told("staging verified v1.0.0", *events), "1.1.0")


def demand(tools: FakeTools, *ages: float) -> None:
    """Look for the evidence that three tenants want."""
    tenants = tools.settings.stage("beta").environments
    wanting = tuple(evolve(each, min_age=Seconds(age)) for each, age in zip(tenants, ages, strict=True))
    release = select.find_verified_release(tools.settings.stage("prod"), None, tools)
    select.require_evidence(wanting, tools.settings.stage("prod"), release, tools)


def test_evidence_must_be_accepted_by_every_environment() -> None:
    """The refusal names one that does not."""
    tools = told("prod verified v1.0.0")
    tools.clock.advance(60)
    demand(tools, 0, 60, 30)

    with pytest.raises(Refused, match=r"^dom: v1\.0\.0 was verified in prod 1m ago .* verified 2m ago") as refused:
        demand(tools, 0, 60, 120)

    assert refused.value.state == "nothing has been changed"
    assert "--without-evidence" in refused.value.hint


def test_environment_that_verified_the_release_itself_accepts_it() -> None:
    """That does not count for the others."""
    tools = told("prod verified v1.0.0", "dom verified v1.0.0")
    demand(tools, 0, 0, 9999)

    with pytest.raises(Refused, match=r"^shane: "):
        demand(tools, 0, 5000, 9999)
