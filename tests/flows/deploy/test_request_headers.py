"""Headers whose values are secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from semver import Version

from kaizen_tasks.domain.release import Release
from kaizen_tasks.errors import KaizenError, NotFound, Refused, UsageError
from kaizen_tasks.flows.deploy import probe
from kaizen_tasks.flows.deploy.request_headers import read_headers, require_headers
from kaizen_tasks.flows.execution import execute_change
from kaizen_tasks.flows.promote.promotion import plan_verification
from kaizen_tasks.flows.promote.rollout import RolloutOptions
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def tools_with(header: Mapping[str, str], secret: str = "") -> FakeTools:
    """Return tools with one configured header, and a secret for staging."""
    tools = FakeTools(settings=settings(verify={"headers": {"Authorization": header}}))
    if secret:
        tools.secrets.create("staging-probe", secret, version="1", at=tools.clock.now())
    return tools


def read(tools: FakeTools) -> dict[str, str]:
    """Return the headers for staging."""
    return read_headers(tools.settings.environments["staging"], tools)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ({"env": "PROBE_TOKEN"}, "hush"),
        ({"env": "PROBE_TOKEN", "prefix": "Bearer "}, "Bearer hush"),
        ({"env": "PROBE_TOKEN", "secret": "{env}-probe"}, "hush"),
        ({"env": "NOT_SET", "secret": "{env}-probe"}, '{"a": {"b": "c"}}'),
        ({"secret": "{env}-probe", "key": "/a/b", "prefix": "x"}, "xc"),
    ],
)
def test_value_comes_from_a_variable_or_a_secret(
    monkeypatch: pytest.MonkeyPatch, header: dict[str, str], value: str
) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "hush\n")

    assert read(tools_with(header, '{"a": {"b": "c"}}')) == {"Authorization": value}


@pytest.mark.parametrize(
    ("header", "secret", "kind", "message"),
    [
        ({"env": "NOT_SET"}, "", UsageError, "the environment variable NOT_SET is not set"),
        ({"secret": "{env}-probe"}, "", NotFound, "staging-probe"),
        (
            {"secret": "{env}-probe", "key": "/b"},
            '{"a": "hush"}',
            Refused,
            "staging-probe has no text at /b",
        ),
        ({"secret": "{env}-probe", "key": "/a"}, '{"a": 7}', Refused, "the secret staging-probe has no text at /a"),
        ({"secret": "{env}-probe", "key": "/a"}, "hush", Refused, "the secret staging-probe has no text at /a"),
        ({"secret": "{env}-probe"}, "hush\r\nX-Other: 1", Refused, "characters that a header cannot have"),
        ({"secret": "{env}-probe"}, "hush \N{EURO SIGN}", Refused, "characters that a header cannot have"),
    ],
)
def test_value_that_cannot_be_sent_is_refused_before_anything_is_changed(
    header: dict[str, str], secret: str, kind: type[KaizenError], message: str
) -> None:
    """The message names its place, and never the value."""
    tools = tools_with(header, secret)

    with pytest.raises(kind, match=message) as refused:
        require_headers((tools.settings.environments["staging"],), tools)

    assert refused.value.hint
    assert refused.value.state == "nothing has been changed"
    assert "hush" not in str(refused.value)


def test_verification_without_its_token_asks_nothing_and_withdraws_nothing() -> None:
    tools = tools_with({"env": "PROBE_TOKEN"})
    options = RolloutOptions(command=("verify",), auto_rollback=False)
    release = Release(version=Version.parse("0.2.0"))
    change = plan_verification(tools.settings.stage("staging"), release, options, tools)

    with pytest.raises(UsageError, match="PROBE_TOKEN is not set"):
        execute_change(change, tools, confirm=lambda *_: None, command="")

    assert (tools.prober.urls, tools.ledger.all_entries) == ([], [])


def test_headers_are_sent_with_the_request_for_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "hush")
    tools = tools_with({"env": "PROBE_TOKEN"})
    endpoint = probe.version_endpoint(tools.settings.environments["staging"], "https://staging.example", tools)
    endpoint.fetch()

    assert tools.prober.requests[0].headers == {"Authorization": "hush"}
    assert "hush" not in repr((tools.settings, endpoint.request))


@pytest.mark.parametrize("wanted", [True, False])
def test_smoke_check_sends_them_if_it_says_so(monkeypatch: pytest.MonkeyPatch, *, wanted: bool) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "hush")
    check = {"path": "/", "verify_headers": wanted, "request_headers": {"Accept": "text/html"}}
    headers = {"Authorization": {"env": "PROBE_TOKEN"}}
    tools = FakeTools(settings=settings(smoke=[check], verify={"headers": headers}))
    staging = tools.settings.environments["staging"]
    probe.run_smoke_check(staging, "https://staging.example", tools.settings.smoke[0], tools)

    expected = {"Accept": "text/html", **({"Authorization": "hush"} if wanted else {})}
    assert tools.prober.requests[0].headers == expected
