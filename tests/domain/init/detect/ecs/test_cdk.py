"""Services of ECS in the sources of a CDK app."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.ecs.cdk import facts_from_cdk

STACK = """\
const cluster = new ecs.Cluster(this, "Cluster", { clusterName: "shop" });
new ApplicationLoadBalancedFargateService(this, "Web", {
  cluster,
  serviceName: "shop-web",
  taskImageOptions: { containerPort: 3000, containerName: 'web' },
});
"""


def test_names_that_are_written_are_used() -> None:
    found = facts_from_cdk({"lib/stack.ts": STACK})

    (fact,) = found.environment_facts
    assert (fact.platform, fact.service, fact.cluster, fact.container) == ("ecs", "shop-web", "shop", "web")
    assert [(each.value, each.source) for each in found.ports] == [("3000", "lib/stack.ts:5")]
    assert found.ignored == ()


@pytest.mark.parametrize(
    ("source", "platform"),
    [
        ("ecs_patterns.ApplicationLoadBalancedFargateService(self, 'Web')", "ecs"),
        ("new CfnExpressGatewayService(", "ecs-express"),
    ],
)
def test_a_service_without_a_name_is_told(source: str, platform: str) -> None:
    found = facts_from_cdk({"stack.py": f"import x\n{source}\n"})

    assert [each.value for each in found.platforms] == [platform]
    assert [str(each) for each in found.ignored] == [
        "the service (stack.py:2): CDK names it when it deploys; kaizen init --from-aws reads it"
    ]


def test_two_services_are_not_told_apart() -> None:
    found = facts_from_cdk({"stack.ts": STACK + STACK.replace("shop-web", "shop-admin")})
    assert [(each.service, each.cluster) for each in found.environment_facts] == [("", "shop")]


def test_sources_without_services_show_nothing() -> None:
    assert facts_from_cdk({"stack.ts": "new Bucket(this, 'b');"}).platforms == ()
