"""What `doctor` reads of services of ECS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import define, field

from kaizen_tasks.adapters.aws.account_admin import AwsAccount
from kaizen_tasks.adapters.aws.ecs_review import EcsReviewer
from kaizen_tasks.errors import NotFound
from tests.adapters.aws.ecs import answers
from tests.adapters.aws.ecs.scripted_ecs import ScriptedAws, cluster, error
from tests.fakes.clock import FakeClock
from tests.fakes.tools import settings

if TYPE_CHECKING:
    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.service_review import ServiceReview

ALARMS = {"enable": True, "rollback": True, "alarmNames": ["errors"]}
BREAKER = {"enable": True, "rollback": True}


def trust(*services: str) -> dict[str, Any]:
    """Return a role that these services may assume."""
    statement = {"Effect": "Allow", "Principal": {"Service": [*services]}, "Action": "sts:AssumeRole"}
    return {"Role": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}


@define
class Account(ScriptedAws):
    """An account with roles and log groups; nobody may look at what is None."""

    roles: dict[str, dict[str, Any] | None] = field(factory=dict)
    log_groups: tuple[str, ...] | None = ("/ecs/web", "/aws/ecs/main/web-1a2b")

    def iam(self) -> Account:
        return self

    def get_role(self, *, RoleName: str) -> dict[str, Any]:  # noqa: N803 - boto3's spelling
        role = self.roles.get(RoleName, trust("ecs-tasks.amazonaws.com", "ecs.amazonaws.com"))
        if role is None:
            raise error("NoSuchEntity" if RoleName.startswith("no-") else "AccessDenied")
        return role

    def logs(self) -> Any:
        return self

    def describe_log_streams(self, **request: Any) -> dict[str, Any]:
        if self.log_groups is None:
            raise error("AccessDeniedException")
        if request["logGroupName"] not in self.log_groups:
            raise error("ResourceNotFoundException")
        return {"logStreams": []}


@pytest.fixture
def aws() -> Account:
    return Account()


def review(aws: Account, container: str = "") -> ServiceReview:
    return EcsReviewer(cluster(aws), container).review("web")


def plain(aws: Account, *, definition: dict[str, Any] | None = None, **members: Any) -> ServiceReview:
    """Return the review of a plain service."""
    aws.client.answer("DescribeServices", answers.services(answers.service(**members)))
    aws.client.answer("DescribeTaskDefinition", definition or answers.definition())
    return review(aws)


def express(aws: Account, **members: Any) -> ServiceReview:
    """Return the review of a service in Express Mode."""
    rules = {"strategy": "CANARY", "alarms": ALARMS}
    service = answers.service(resourceManagementType="ECS", deploymentConfiguration=rules)
    aws.client.answer("DescribeServices", answers.services(service))
    configuration = answers.configuration(**members)
    description = {
        "serviceName": "web",
        "serviceArn": answers.service_arn(),
        "status": {"statusCode": "ACTIVE"},
        "infrastructureRoleArn": f"{answers.ROLE}/infrastructure",
        "activeConfigurations": [{name: each for name, each in configuration.items() if each is not None}],
    }
    aws.client.answer("DescribeExpressGatewayService", {"service": description})
    return review(aws)


def test_a_plain_service_is_as_its_definition_says(aws: Account) -> None:
    found = plain(aws, deploymentConfiguration={"deploymentCircuitBreaker": BREAKER})

    assert (found.definition, found.desired_count) == ("web:1", 2)
    assert (found.failure_detectors, found.rolls_back) == (("circuit breaker",), True)
    assert (found.log_group, found.has_log_group, found.image_platform) == ("/ecs/web", True, "linux/amd64")
    assert [(role.purpose, role.problem) for role in found.roles] == [("execution", ""), ("task", "")]


def test_a_service_in_express_mode_has_a_canary_and_a_health_check(aws: Account) -> None:
    found = express(aws, cpuArchitecture="ARM64")

    assert (found.failure_detectors, found.rolls_back) == (("alarms", "canary"), True)
    assert (found.health_path, found.image_platform) == ("/health", "linux/arm64")
    assert (found.log_group, found.has_log_group) == ("/aws/ecs/main/web-1a2b", True)
    assert [(role.purpose, role.principal) for role in found.roles] == [
        ("execution", "ecs-tasks.amazonaws.com"),
        ("task", "ecs-tasks.amazonaws.com"),
        ("infrastructure", "ecs.amazonaws.com"),
    ]


def test_a_definition_of_ones_own_in_express_mode_is_read(aws: Account) -> None:
    aws.client.answer("DescribeTaskDefinition", answers.definition(answers.container("Main")))
    found = express(aws, primaryContainer=None, taskDefinitionArn=answers.definition_arn(1))

    assert found.definition == "web:1"
    assert [role.purpose for role in found.roles] == ["execution", "task", "infrastructure"]


@pytest.mark.parametrize(
    ("rules", "detectors", "rolls_back"),
    [
        ({}, (), False),
        ({"deploymentCircuitBreaker": {"enable": True, "rollback": False}}, ("circuit breaker",), False),
        ({"deploymentCircuitBreaker": {"enable": False, "rollback": False}, "alarms": ALARMS}, ("alarms",), True),
    ],
)
def test_what_ends_a_failing_deployment(
    aws: Account, rules: dict[str, Any], detectors: tuple[str, ...], *, rolls_back: bool
) -> None:
    found = plain(aws, deploymentConfiguration=rules)
    assert (found.failure_detectors, found.rolls_back) == (detectors, rolls_back)


def test_several_essential_containers_are_told(aws: Account) -> None:
    definition = answers.definition(answers.container("web"), answers.container("proxy"))
    found = plain(aws, definition=definition)

    assert found.container_problem == "the task definition web has 2 essential containers: web, proxy"
    assert 'container = "web"' in found.container_fix
    assert (found.log_group, found.has_log_group) == ("", True)


def test_a_log_group_that_is_missing(aws: Account) -> None:
    aws.log_groups = ()
    assert plain(aws).has_log_group is False
    options = {"awslogs-group": "/ecs/web", "awslogs-create-group": "true"}
    creating = answers.container(logConfiguration={"logDriver": "awslogs", "options": options})
    assert plain(aws, definition=answers.definition(creating)).has_log_group is True
    aws.log_groups = None
    assert plain(aws).has_log_group is None


@pytest.mark.parametrize(
    ("role", "problem"),
    [
        (trust("build.apprunner.amazonaws.com"), "does not trust ecs-tasks.amazonaws.com"),
        (None, ""),
    ],
)
def test_a_role_that_tasks_cannot_use(aws: Account, role: dict[str, Any] | None, problem: str) -> None:
    """Where nobody may look, nothing is said."""
    aws.roles = {"execution": role}
    assert plain(aws).roles[0].problem == problem


def test_a_role_that_does_not_exist_or_is_not_set(aws: Account) -> None:
    aws.roles = {"no-role": None}
    missing = plain(aws, definition=answers.definition(executionRoleArn=f"{answers.ROLE}/no-role"))
    unset = plain(aws, definition=answers.definition(executionRoleArn=""))
    assert (missing.roles[0].problem, unset.roles[0].problem) == ("does not exist", "is not set")


def test_a_service_that_is_missing_is_not_found(aws: Account) -> None:
    aws.client.answer("DescribeServices", answers.services(answers.service(status="INACTIVE")))
    with pytest.raises(NotFound, match="there is no service web in the cluster main"):
        review(aws)


def test_checks_of_one_run_share_a_review(aws: Account) -> None:
    rules = settings(
        environments={"staging": {"platform": "ecs-express", "service": "web"}, "prod": {}},
        groups={},
        pipeline=["staging", "prod"],
    )
    nothing = cast("Any", None)
    account = AwsAccount(cast("Aws", aws), settings=rules, ledger=nothing, platform=nothing, clock=FakeClock())
    aws.client.answer("DescribeServices", answers.services(answers.service()))
    aws.client.answer("DescribeTaskDefinition", answers.definition())

    with ThreadPoolExecutor() as pool:
        reviews = list(pool.map(account.review_service, [rules.environments["staging"]] * 3))

    assert reviews == [reviews[0]] * 3
    assert aws.client.operations == ["DescribeServices", "DescribeTaskDefinition"]
