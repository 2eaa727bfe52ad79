"""Permissions from IAM's simulator, and from trying read-only calls."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from kaizen_tasks.adapters.aws.iam import permissions
from kaizen_tasks.adapters.aws.iam import policy as iam_policy
from kaizen_tasks.adapters.aws.iam.actions import task_actions
from kaizen_tasks.adapters.aws.session import Aws
from kaizen_tasks.errors import Denied, NotFound, Refused, Unreachable
from tests.adapters.conftest import ACCOUNT, REGION
from tests.fakes.tools import settings
from tests.support.scripted_server import Reply, Request, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.aws_account import Permission
    from kaizen_tasks.errors import KaizenError

pytestmark = pytest.mark.integration

USER = f"arn:aws:iam::{ACCOUNT}:user/ada"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deployer/ada"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Deployer"
TASKS = task_actions(settings())
NEEDED = iam_policy.statements(settings(), account=ACCOUNT, table="kaizen-web")


def _question(request: Request) -> str:
    return parse_qs(request.body.decode())["Action"][0]


@pytest.fixture
def server(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:  # noqa: ARG001 - it sets them
    """A scripted IAM."""
    with ScriptedServer(question=_question) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", server.url)
        yield server


def _simulated(principal: str = USER) -> dict[str, Permission]:
    found = permissions.simulate_permissions(principal, NEEDED, TASKS, Aws(region=REGION, profile="", account=ACCOUNT))
    return {permission.task: permission for permission in found}


def _answer(*results: str, more: str = "") -> Reply:
    marker = f"<Marker>{more}</Marker>" if more else ""
    body = f"""<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>{"true" if more else "false"}</IsTruncated>{marker}
<EvaluationResults>{"".join(results)}</EvaluationResults></SimulatePrincipalPolicyResult>
</SimulatePrincipalPolicyResponse>"""
    return Reply(body=body.encode())


def _result(action: str, decision: str, *resources: str) -> str:
    each = "".join(
        f"<member><EvalResourceName>arn</EvalResourceName><EvalResourceDecision>{one}</EvalResourceDecision></member>"
        for one in resources
    )
    return f"""<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>
<ResourceSpecificResults>{each}</ResourceSpecificResults></member>"""


class TestSimulated:
    def test_names_each_task_that_lacks_something(self, server: ScriptedServer) -> None:
        server.script["SimulatePrincipalPolicy"] = [
            _answer(_result("ecr:PutImage", "implicitDeny"), _result("dynamodb:Query", "allowed"))
        ]

        found = _simulated()

        assert found["push"].denied_actions == found["deploy"].denied_actions == ("ecr:PutImage",)
        assert found["status"].denied_actions == found["doctor"].denied_actions == ()
        assert all(not permission.unchecked_actions for permission in found.values())

    def test_one_denied_resource_denies_the_action(self, server: ScriptedServer) -> None:
        mixed = _result("apprunner:StartDeployment", "allowed", "allowed", "explicitDeny")
        server.script["SimulatePrincipalPolicy"] = [_answer(mixed)]

        assert _simulated()["deploy"].denied_actions == ("apprunner:StartDeployment",)

    def test_reads_every_page(self, server: ScriptedServer) -> None:
        server.script["SimulatePrincipalPolicy"] = [
            *[_answer(_result("ecr:BatchGetImage", "allowed"), more="next")] * len(NEEDED),
            _answer(_result("ecr:BatchGetImage", "implicitDeny")),
        ]

        assert _simulated()["status"].denied_actions == ("ecr:BatchGetImage",)

    def test_asks_about_every_action_and_resource_of_the_policy(self, server: ScriptedServer) -> None:
        server.script["SimulatePrincipalPolicy"] = [_answer()]

        _simulated()

        words = {word for request in server.requests for values in _form(request).values() for word in values}
        for statement in NEEDED:
            assert {*statement.actions, *statement.resources} <= words

    def test_asks_for_the_path_of_an_assumed_role(self, server: ScriptedServer) -> None:
        server.script["SimulatePrincipalPolicy"] = [_answer()]
        server.script["GetRole"] = [Reply(body=GET_ROLE.encode())]

        _simulated(SESSION)

        asked = server.asked("SimulatePrincipalPolicy")
        assert {_form(request)["PolicySourceArn"][0] for request in asked} == {ROLE}

    def test_simulation_may_be_denied(self, server: ScriptedServer) -> None:
        server.script["SimulatePrincipalPolicy"] = [Reply(status=403, body=DENIED.encode())]

        with pytest.raises(Denied, match="AccessDenied"):
            _simulated()

    def test_root_is_not_simulated(self, server: ScriptedServer) -> None:
        found = _simulated(f"arn:aws:iam::{ACCOUNT}:root")

        assert found.keys() == TASKS.keys()
        assert all(not each.denied_actions and not each.unchecked_actions for each in found.values())
        assert server.requests == []

    def test_principal_without_policies_is_refused(self, server: ScriptedServer) -> None:
        with pytest.raises(NotFound, match="neither a user nor a role"):
            _simulated(f"arn:aws:sts::{ACCOUNT}:federated-user/ada")


CHANGES = iam_policy.changing_statements(NEEDED, TASKS)


class TestChanges:
    """What a command asks before it changes anything."""

    def _denied(self) -> dict[str, bool]:
        found = permissions.simulate_changes(USER, CHANGES, Aws(region=REGION, profile="", account=ACCOUNT))
        return {each.action: each.is_certain for each in found}

    def test_statements_have_the_changing_actions_of_a_deployment_alone(self) -> None:
        actions = {action for statement in CHANGES for action in statement.actions}

        assert actions == {
            *("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"),
            *("apprunner:StartDeployment", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        }

    @pytest.mark.parametrize(
        ("action", "decision", "certain"),
        [
            ("apprunner:StartDeployment", "implicitDeny", True),
            ("ecr:PutImage", "implicitDeny", False),  # the repository's own policy may allow it
            ("ecr:PutImage", "explicitDeny", True),
            ("dynamodb:PutItem", "implicitDeny", False),
        ],
    )
    def test_denial_is_certain_unless_a_policy_of_the_resource_may_allow_it(
        self, server: ScriptedServer, action: str, decision: str, *, certain: bool
    ) -> None:
        server.script["SimulatePrincipalPolicy"] = [_answer(_result(action, decision))]

        assert self._denied() == {action: certain}

    def test_denial_is_uncertain_where_the_value_of_a_condition_is_unknown(self, server: ScriptedServer) -> None:
        missing = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues></member>"
        result = _result("apprunner:StartDeployment", "implicitDeny").removesuffix("</member>") + missing
        server.script["SimulatePrincipalPolicy"] = [_answer(result)]

        assert self._denied() == {"apprunner:StartDeployment": False}

    def test_denied_simulator_is_asked_once(self, server: ScriptedServer) -> None:
        server.script["SimulatePrincipalPolicy"] = [Reply(status=403, body=DENIED.encode())]

        with pytest.raises(Denied, match="AccessDenied"):
            self._denied()

        assert len(server.requests) == 1

    def test_root_is_not_asked_about(self, server: ScriptedServer) -> None:
        root = f"arn:aws:iam::{ACCOUNT}:root"

        assert permissions.simulate_changes(root, CHANGES, Aws(region=REGION, profile="", account=ACCOUNT)) == ()
        assert server.requests == []


def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.body.decode())


@pytest.mark.parametrize(
    ("error", "denied", "untried"),
    [
        (None, False, False),
        (Refused("no such layer"), False, False),
        (NotFound("no such table"), False, False),
        (Denied("not you"), True, False),
        (Unreachable("no answer"), False, True),
    ],
)
def test_probe_result_follows_the_error(error: KaizenError | None, denied: bool, untried: bool) -> None:
    """Any response except a denial shows that the action is allowed."""

    def look() -> None:
        if error:
            raise error

    found = {
        each.task: each
        for each in permissions.probe_permissions({"ecr:BatchGetImage": look}, TASKS, why="nobody to ask")
    }

    assert denied == ("ecr:BatchGetImage" in found["status"].denied_actions)
    assert untried == ("ecr:BatchGetImage" in found["status"].unchecked_actions)
    assert "ecr:PutImage" in found["push"].unchecked_actions
    assert found["push"].unchecked_reason == "nobody to ask"


GET_ROLE = f"""<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role>
<Path>/team/</Path><RoleName>Deployer</RoleName><RoleId>AROA</RoleId><Arn>{ROLE}</Arn>
<CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>"""
DENIED = """<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>not authorized to perform iam:SimulatePrincipalPolicy</Message></Error>
</ErrorResponse>"""
