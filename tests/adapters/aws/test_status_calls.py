"""The AWS calls of `inv status`; beside one for each image, few for all environments."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.ledger import Event
from kaizen_tasks.flows.views.status import collect_status
from kaizen_tasks.wiring import Toolbox
from tests.adapters.conftest import ACCOUNT, REGION
from tests.contracts.ledger import entry
from tests.fakes.tools import settings
from tests.localcloud.layers import Pushed
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.status import EnvironmentStatus

NAMES = ("staging", "prod", "mark")
ONCE = {"GetCallerIdentity": 1, "ListServices": 1}
BATCHES = {"BatchGetItem": 4}
"""Locks, holds, newest entries, and whether an earlier version has written others: each for up to 100 environments."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with a service for each environment."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        images, apprunner = Pushed(running.client("ecr")), running.client("apprunner")
        for name in NAMES:
            images.repository(f"{name}-web-app")
            images.app(f"{name}-web-app", "v1.2.3")
            image = {"ImageIdentifier": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}-web-app:latest"}
            apprunner.create_service(
                ServiceName=f"{name}-web-service",
                SourceConfiguration={
                    "AuthenticationConfiguration": {"AccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/pulls"},
                    "ImageRepository": {**image, "ImageRepositoryType": "ECR"},
                },
            )
        wait_for(lambda: {each["Status"] for each in apprunner.list_services()["ServiceSummaryList"]} == {"RUNNING"})
        yield running


def status(cloud: Cloud) -> tuple[tuple[EnvironmentStatus, ...], Counter[str]]:
    """Return the status as a new process finds it, and its calls."""
    tools, before = toolbox(), len(cloud.requests)
    rows = collect_status([tools.settings.environments[name] for name in NAMES], tools)
    calls = Counter(each["operation"] for each in cloud.requests[before:] if each["service"] != "registry")
    return rows, calls


def toolbox() -> Toolbox:
    app = settings(pipeline=[*NAMES], environments={name: {} for name in NAMES}, groups={})
    return Toolbox(app, dry=False, draft=True, stream=io.StringIO())


def test_status_asks_once_for_each_image_and_in_batches_for_the_rest(
    credentials: None,  # noqa: ARG001 - it sets them
    cloud: Cloud,
) -> None:
    toolbox().ledger_table.create()
    for name in NAMES:
        toolbox().ledger.append_all([entry(name), entry(name, event=Event.VERIFIED)])

    rows, first = status(cloud)
    again, second = status(cloud)

    assert [row.last_entry for row in rows] == [evolve(entry(name, event=Event.VERIFIED)) for name in NAMES]
    assert all(row.followed_image for row in rows)
    assert again == rows
    assert first == {"BatchGetImage": 3, "GetAuthorizationToken": 1, **BATCHES, **ONCE}
    assert second == {"BatchGetImage": 3, **BATCHES, **ONCE}
