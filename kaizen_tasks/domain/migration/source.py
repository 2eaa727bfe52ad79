"""A service that is to be moved to another platform, with all settings that matter to the new one."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class HealthCheck:
    """How the old platform finds out whether an instance works.

    Attributes:
        path: the path that is requested; empty if only a connection is opened.
        interval: seconds between two checks.
        timeout: seconds to wait for an answer.
        healthy: successful checks in a row that make an instance healthy.
        unhealthy: failed checks in a row that make it unhealthy.
    """

    path: str = ""
    interval: int = 5
    timeout: int = 2
    healthy: int = 1
    unhealthy: int = 5


@frozen(kw_only=True)
class ConcurrencyScaling:
    """Scaling by the number of requests that an instance serves at a time.

    Attributes:
        minimum: instances that are always provisioned; idle ones cost memory only.
        maximum: the most instances.
        concurrency: requests that one instance serves at a time.
    """

    minimum: int = 1
    maximum: int = 25
    concurrency: int = 100


@frozen(kw_only=True)
class SourceService:
    """A service of App Runner.

    Attributes:
        name: the service's name.
        id: its ARN.
        image: the reference of the image, with the tag that it follows; empty if it is built from source code.
        port: the port that the app listens on.
        start_command: the command in place of the image's own; empty for that one.
        variables: values of environment variables, by name; a value may be a secret, so it is never shown.
        secrets: references to secrets or parameters, by the variable that gets the value.
        cpu: units of 1/1024 vCPU.
        memory: MiB.
        health_check: how instances are checked.
        scaling: how many instances there are.
        pull_role: ARN of the role that pulls the image.
        app_role: ARN of the role of the app itself; empty without one.
        subnets: the subnets of the VPC connector; empty without one.
        security_groups: the security groups of the VPC connector.
        is_public: whether the internet reaches the service.
        is_dual_stack: whether it has IPv6 addresses too.
        kms_key: ARN of the key that encrypts the platform's copy of the image; empty for AWS's own.
        traces: whether traces are sent to X-Ray.
        deploys_on_push: whether a push to the followed tag starts a deployment.
        domains: the domain names that the platform serves with certificates of its own.
        tags: the service's tags.
    """

    name: str
    id: str
    image: str
    port: int = 8080
    start_command: str = ""
    variables: Mapping[str, str] = field(factory=dict, repr=False)
    secrets: Mapping[str, str] = field(factory=dict)
    cpu: int = 1024
    memory: int = 2048
    health_check: HealthCheck = HealthCheck()
    scaling: ConcurrencyScaling = ConcurrencyScaling()
    pull_role: str = ""
    app_role: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    is_public: bool = True
    is_dual_stack: bool = False
    kms_key: str = ""
    traces: bool = False
    deploys_on_push: bool = False
    domains: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)
