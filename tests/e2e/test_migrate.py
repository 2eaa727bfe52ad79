"""`inv migrate`: an app moves from App Runner to ECS Express Mode while its address is asked all the time."""

from __future__ import annotations

import json
import threading
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from kaizen_tasks.localcloud.services.proxy import TcpProxy
from tests.e2e.conftest import new_workspace
from tests.support.local_cloud import ACCOUNT, REGION
from tests.support.waiting import HANG_SECONDS, wait_for
from tests.support.workspaces import COMMAND_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.local_cloud import Cloud

pytestmark = pytest.mark.e2e

MOVE = ("migrate", "--env", "staging", "--to", "ecs-express", "--yes")
RETIRE = ("migrate", "--env", "staging", "--retire", "--yes")
ROLES = {
    "ecsTaskExecutionRole": "ecs-tasks.amazonaws.com",
    "ecsInfrastructureRoleForExpressServices": "ecs.amazonaws.com",
}


@define
class Visitors:
    """Somebody who asks the app's address all the time.

    Attributes:
        url: the address.
        failures: what went wrong.
        count: how many answers were right.
    """

    url: str
    failures: list[str] = field(factory=list)
    count: int = 0

    @contextmanager
    def visiting(self) -> Iterator[None]:
        """Ask while the context lasts."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._visit, args=(is_over,))
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _visit(self, is_over: threading.Event) -> None:
        while not is_over.wait(0.02):
            try:
                with urllib.request.urlopen(f"{self.url}/version", timeout=HANG_SECONDS) as response:
                    json.load(response)
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))
            else:
                self.count += 1


def _create_roles(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    for name, service in ROLES.items():
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        try:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)
        except iam.exceptions.EntityAlreadyExistsException:
            continue  # of another test in this cloud


def _old_ports(cloud: Cloud) -> dict[str, int]:
    client = cloud.client("apprunner")
    ports: dict[str, int] = {}
    options: dict[str, str] = {}
    while True:  # other tests have services in this cloud too, so there may be several pages
        page = client.list_services(**options)
        ports |= {it["ServiceName"]: int(it["ServiceUrl"].rpartition(":")[2]) for it in page["ServiceSummaryList"]}
        if "NextToken" not in page:
            return ports
        options = {"NextToken": page["NextToken"]}


def _new_port(cloud: Cloud, name: str) -> int:
    """Return the port at which the new service answers with its release; 0 as long as no deployment has succeeded."""
    ecs, arn = cloud.client("ecs"), f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/default/{name}"
    try:
        deployments = ecs.list_service_deployments(service=arn, status=["SUCCESSFUL"])["serviceDeployments"]
    except ecs.exceptions.ServiceNotFoundException:
        return 0
    if not deployments:
        return 0
    (configuration,) = ecs.describe_express_gateway_service(serviceArn=arn)["service"]["activeConfigurations"]
    return int(configuration["ingressPaths"][0]["endpoint"].rpartition(":")[2])


def test_an_app_moves_without_a_failed_request(cloud: Cloud, tmp_path: Path) -> None:
    front = TcpProxy()
    try:
        url = f"http://127.0.0.1:{front.port}"
        workspace = new_workspace(cloud, tmp_path, f'url = "{url}"\n[environments.prod]\n')
        service = f"staging-{workspace.app}-service"
        front.switch(_old_ports(cloud)[service])
        workspace.inv("release-staging").expect_success()
        _create_roles(cloud)
        visitors = Visitors(url)
        with visitors.visiting():
            waiting = workspace.start(*MOVE, "--wait", "2m")
            wait_for(lambda: _new_port(cloud, service) > 0)
            front.switch(_new_port(cloud, service))
            out, err = waiting.communicate(timeout=COMMAND_SECONDS)
            assert waiting.returncode == 0, err
            assert '+platform = "ecs-express"' in out
            assert "kaizen.toml is changed and not committed" in workspace.inv(*RETIRE).err
            workspace.git("commit", "--quiet", "--message=Move staging", "kaizen.toml")
            workspace.git("push", "--quiet")
            workspace.inv(*RETIRE).expect_success()
            workspace.inv(*RETIRE, "--delete").expect_success()
        assert visitors.failures == []
        assert visitors.count > 0
        status = workspace.inv("status", "--env", "staging", "--json").expect_success().document
        assert (status["environments"]["staging"]["drift"], status["environments"]["staging"]["url"]) == ([], url)
        assert "second_service" not in status["environments"]["staging"]
        assert service not in _old_ports(cloud)
    finally:
        front.close()
