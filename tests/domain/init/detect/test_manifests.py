"""Detection of other tools and platforms by their files."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.detect.manifests import facts_from_manifests

MANIFEST = """\
name: api
type: Request-Driven Web Service
image:
  build:
    dockerfile: api/Dockerfile.prod
    context: .
  port: 3000
# name: another
"""


def test_copilot_shows_services_environments_image_and_port() -> None:
    texts = {
        "copilot/.workspace": "application: shop\n",
        "copilot/api/manifest.yml": MANIFEST,
        "copilot/environments/prod/manifest.yml": "name: prod\ntype: Environment\n",
        "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
    }
    found = facts_from_manifests(texts, ())

    assert [(each.environment, each.service, each.repository, each.source) for each in found.environment_facts] == [
        ("prod", "shop-prod-api", "shop/api", "copilot/api/manifest.yml:1"),
        ("test", "shop-test-api", "shop/api", "copilot/api/manifest.yml:1"),
    ]
    assert [(each.value, each.source) for each in found.ports] == [("3000", "copilot/api/manifest.yml:7")]
    assert [(each.dockerfile, each.context) for each in found.builds] == [("api/Dockerfile.prod", ".")]
    assert found.foreign_platform is None


def test_copilot_on_ecs_shows_image_container_and_address_but_no_service() -> None:
    """Copilot ends the names of services and clusters at random."""
    text = MANIFEST.replace("Request-Driven", "Load Balanced") + (
        "platform:\n  architecture: arm64\n"
        "environments:\n  prod:\n    http:\n      alias: shop.example\n  test:\n    count: 1\n"
    )
    worker = "name: worker\ntype: Backend Service\n"
    texts = {
        "copilot/.workspace": "application: shop\n",
        "copilot/a/manifest.yml": worker,
        "copilot/b/manifest.yml": text,
    }
    found = facts_from_manifests(texts, ())

    prod, test, other = found.environment_facts
    assert (prod.platform, prod.repository, prod.service, prod.container) == ("ecs", "shop/api", "", "api")
    assert (prod.environment, prod.url, test.environment, test.url) == ("prod", "https://shop.example", "test", "")
    assert other.container == "worker"
    assert [each.value for each in found.architectures] == ["arm64"]
    assert [each.what for each in found.ignored] == ["service api", "service worker"]
    assert found.foreign_platform is None


@pytest.mark.parametrize("path", ["copilot/pipeline.yml", "copilot/pipelines/main/manifest.yml"])
def test_the_environments_of_copilot_are_the_stages_of_its_pipeline(path: str) -> None:
    texts = {
        path: "stages:\n  - name: test\n  - name: prod\n",
        "copilot/api/manifest.yml": MANIFEST.replace("Request-Driven", "Load Balanced"),
    }
    assert facts_from_manifests(texts, ()).environments == ("test", "prod")


def test_apprunner_yaml_shows_the_port_and_is_not_used_otherwise() -> None:
    found = facts_from_manifests({"apprunner.yaml": "version: 1.0\nrun:\n  network:\n    port: 8000\n"}, ())

    assert [(each.value, each.source) for each in found.ports] == [("8000", "apprunner.yaml:4")]
    assert str(found.ignored[0]).startswith("apprunner.yaml (apprunner.yaml:1): App Runner builds from source")


@pytest.mark.parametrize(
    ("path", "platform"),
    [
        ("fly.toml", "Fly.io"),
        ("Procfile", "Heroku"),
        ("serverless.yml", "AWS Lambda"),
        ("k8s/deployment.yaml", "Kubernetes"),
        (".elasticbeanstalk/config.yml", "AWS Elastic Beanstalk"),
        ("../render.yaml", "Render"),
    ],
)
def test_a_platform_is_told_by_its_file(path: str, platform: str) -> None:
    found = facts_from_manifests({}, (path, "README.md"))

    assert found.foreign_platform is not None
    assert (found.foreign_platform.value, found.foreign_platform.source) == (platform, path)
