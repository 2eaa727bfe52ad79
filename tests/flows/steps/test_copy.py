"""The copy step between two accounts."""

from __future__ import annotations

from kaizen_tasks.domain.decision import Act, Done
from kaizen_tasks.domain.image import Image
from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.version import parse_version_file
from kaizen_tasks.flows.steps import CopyImage
from tests.fakes.registry import OCI_MANIFEST, FakeRegistry
from tests.fakes.tools import FakeTools, settings

RELEASE = Release(version=parse_version_file(b"0.2.0"), commit="c0ffee", digest="sha256:1")
IMAGE = Image(digest=RELEASE.digest, media_type=OCI_MANIFEST, version=RELEASE.name, revision=RELEASE.commit)
PROD = {
    "account": "210987654321",
    "region": "eu-central-1",
    "role": "arn:aws:iam::210987654321:role/release",
    "repository": "web",
}


def test_image_comes_from_the_registry_of_the_source_and_arrives_in_that_of_the_target() -> None:
    tools = FakeTools(settings=settings(environments={"staging": {}, "prod": PROD}, pipeline=["staging"], groups={}))
    abroad = FakeTools(settings=tools.settings, registry=FakeRegistry(host="abroad.example"))
    tools.elsewhere["prod"] = abroad
    tools.registry.put("staging-web-app", RELEASE.name, IMAGE)
    environments = tools.settings.environments
    step = CopyImage(environment=environments["prod"], source=environments["staging"])

    decision = step.decide(RELEASE, tools)
    copied = step.act(RELEASE, tools)

    assert isinstance(decision, Act)
    place = "123456789012 (eu-west-1)"
    assert decision.description == f"copy v0.2.0 by digest from staging-web-app in {place}, through this machine"
    assert isinstance(step.decide(copied, tools), Done)
    assert abroad.registry.find_image("web", "v0.2.0") == IMAGE
    assert tools.registry.calls == []
    assert any("1 blob uploaded" in line for line in tools.reporter.lines)
