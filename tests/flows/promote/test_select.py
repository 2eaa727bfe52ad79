"""Which release can be promoted from a stage."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from semver import Version

from kaizen_tasks.domain.hold import Hold
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.text.duration import Seconds
from kaizen_tasks.errors import Refused, UsageError
from kaizen_tasks.flows.promote import select
from kaizen_tasks.flows.promote.lines import first_stage_of_branch
from kaizen_tasks.flows.promote.promotion import plan_promotion
from kaizen_tasks.flows.promote.rollout import RolloutOptions
from tests.fakes.clock import START
from tests.fakes.registry import OCI_MANIFEST
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.flows.execution import Change


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


@pytest.mark.parametrize(
    ("stage", "found"),
    [("prod", "v1.0.0"), ("beta", "v1.1.0"), ("staging", None)],
)
def test_release_to_verify_is_the_deployed_one_after_the_first_stage(stage: str, found: str | None) -> None:
    tools = told(
        "mark verified v1.1.0",
        "prod verified v1.0.0",
        "staging verified v1.2.0",
        "prod started v1.1.0",
        "prod failed v1.1.0",
        "staging deployed v1.3.0",
    )

    release = select.find_deployed_release(tools.settings.stage(stage), tools)

    assert (release and release.name) == found


def test_release_to_verify_is_to_be_named_where_environments_differ() -> None:
    tools = told("mark verified v1.1.0", "dom verified v1.0.0")

    with pytest.raises(Refused, match=r"mark has v1\.1\.0, dom has v1\.0\.0") as refused:
        select.find_deployed_release(tools.settings.stage("beta"), tools)

    assert refused.value.hint == "verify them one by one: inv verify --env mark --release v1.1.0"


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


def on_lines(*said: str, lines: Mapping[str, object] | None = None) -> FakeTools:
    """Return a world whose ledger says this, in which mark stays on the line 1.x."""
    tools = told(*said)
    rules = lines or {"1.x": {"branch": "stable/1.x", "environments": ["mark"]}}
    tools.settings = settings(lines=rules)
    return tools


TWO_LINES = ("staging verified v1.2.3", "staging verified v2.0.0", "staging verified v1.2.4")


def test_backport_that_was_verified_last_does_not_replace_a_later_release() -> None:
    """Without configured lines, and without the commits, the numbers tell the lines apart."""
    tools = told(*TWO_LINES)

    assert verified_in("staging", tools) == "sha256:v2.0.0"
    assert tools.reporter.lines == [
        "v1.2.4 was verified last, and is of an older line; to promote it: --release v1.2.4"
    ]
    assert verified_in("staging", tools, "1.2.4") == "sha256:v1.2.4"


def test_older_release_of_the_same_line_is_promoted_if_it_was_verified_last() -> None:
    tools = told("staging verified v1.2.4", "staging verified v1.2.3")

    assert verified_in("staging", tools) == "sha256:v1.2.3"


def test_ancestry_tells_lines_apart() -> None:
    """2.0.0 comes after 1.9.0 on one line, so going back to 1.9.0 in the first stage was meant."""
    tools = FakeTools()
    for minute, version in enumerate(("v1.9.0", "v2.0.0", "v1.9.0")):
        commit = tools.scm.resolve(version) or tools.scm.commit({"app.py": version.encode()})
        tools.scm.create_tag(version, commit, "")
        at, digest = START + timedelta(minutes=minute), f"sha256:{version}"
        tools.ledger.append(
            LedgerEntry(
                environment="staging",
                event=Event.VERIFIED,
                version=version,
                commit=commit,
                digest=digest,
                at=at,
                actor="a",
            )
        )

    assert verified_in("staging", tools) == "sha256:v1.9.0"


def plan(tools: FakeTools, stage: str, version: str = "") -> Change:
    """Return the plan of a promotion."""
    options = RolloutOptions(command=("promote", "-e", stage))
    requested = Version.parse(version) if version else None
    change = plan_promotion(tools.settings.stage(stage), requested, options, tools)
    assert change is not None
    return change


PROD_TOO = (*TWO_LINES, "prod verified v2.0.0")


@pytest.mark.parametrize(
    ("stage", "version", "title"),
    [
        ("prod", "", "promote v2.0.0 to prod"),
        ("mark", "", "promote v1.2.4 to mark"),
        ("mark", "1.2.3", "promote v1.2.3 to mark"),
        ("beta", "", "promote v2.0.0 to shane, dom"),
        ("beta", "1.2.4", "promote v1.2.4 to mark"),
        ("shane", "", "promote v2.0.0 to shane"),
    ],
)
def test_environments_on_a_line_get_its_releases_and_others_do_not(stage: str, version: str, title: str) -> None:
    assert plan(on_lines(*PROD_TOO), stage, version).title == title


def test_environments_that_are_left_out_are_named() -> None:
    tools = on_lines(*PROD_TOO)
    plan(tools, "beta")

    assert "mark is left out: it stays on the line 1.x" in tools.reporter.lines


@pytest.mark.parametrize(
    ("stage", "version", "message"),
    [
        ("mark", "2.0.0", "v2.0.0 is not for mark: it stays on the line 1.x"),
        ("prod", "1.2.4", "v1.2.4 is not for prod: it is not one of the environments on the line 1.x"),
    ],
)
def test_release_of_another_line_is_refused(stage: str, version: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        plan(on_lines(*PROD_TOO), stage, version)


def test_line_is_promoted_from_the_last_stage_that_gets_it() -> None:
    lines = {"1.x": {"branch": "stable/1.x", "environments": ["prod", "mark"]}}
    tools = on_lines("staging verified v1.2.4", "prod verified v1.2.3", "shane verified v1.2.4", lines=lines)

    assert plan(tools, "mark").title == "promote v1.2.3 to mark"


def test_stage_with_several_lines_needs_a_release() -> None:
    lines = {
        "1.x": {"branch": "stable/1.x", "environments": ["mark"]},
        "2.x": {"branch": "stable/2.x", "environments": ["shane", "dom"]},
    }
    with pytest.raises(UsageError, match=r"several lines: mark stays on 1\.x, shane stays on 2\.x"):
        plan(on_lines(*PROD_TOO, lines=lines), "beta")


@pytest.mark.parametrize(("branch", "names"), [("stable/1.x", ["mark"]), ("main", ["shane", "dom"])])
def test_first_stage_gets_the_line_of_the_branch(branch: str, names: list[str]) -> None:
    tools = on_lines()
    tools.scm.branch = branch
    stage = first_stage_of_branch(tools.settings.stage("beta"), tools)

    assert [member.name for member in stage.environments] == names


def test_first_stage_without_environments_on_a_line_gets_every_line() -> None:
    tools = on_lines()
    tools.scm.branch = "stable/1.x"

    assert first_stage_of_branch(tools.settings.first_stage, tools) == tools.settings.first_stage
