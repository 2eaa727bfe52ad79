"""Detection in pipelines that are no workflows of GitHub."""

from __future__ import annotations

from kaizen_tasks.domain.init.detect.other_pipelines import facts_from_pipeline
from kaizen_tasks.domain.init.evidence import Facts

GITLAB = """\
variables:
  AWS_REGION: eu-west-3
  REPO: 210987654321.dkr.ecr.eu-west-3.amazonaws.com/shop
deploy:
  environment:
    name: staging
  script:
    - docker build -t "$REPO:latest" web
    # - docker push old.dkr.ecr.eu-west-1.amazonaws.com/old
    - |
      docker push "$REPO:latest"
      aws apprunner start-deployment --service-arn "arn:aws:apprunner:eu-west-3:210987654321:service/shop-web/1"
"""


def test_commands_are_read_with_the_variables_and_the_environment_of_their_job() -> None:
    found = facts_from_pipeline(".gitlab-ci.yml", GITLAB)

    assert [(each.environment, each.repository, each.service, each.source) for each in found.environment_facts] == [
        ("staging", "shop", "", ".gitlab-ci.yml:8"),
        ("staging", "shop", "", ".gitlab-ci.yml:11"),
        ("staging", "", "shop-web", ".gitlab-ci.yml:12"),
    ]
    assert [(each.dockerfile, each.context) for each in found.builds] == [("web/Dockerfile", "web")]
    assert found.region
    assert (found.region.value, found.region.source) == ("eu-west-3", ".gitlab-ci.yml:2")


def test_steps_of_circleci_are_read() -> None:
    text = "jobs:\n  deploy:\n    steps:\n      - checkout\n      - run:\n          command: flyctl deploy\n"
    found = facts_from_pipeline(".circleci/config.yml", text)
    assert [str(each) for each in found.platforms] == ["Fly.io (.circleci/config.yml:6)"]


def test_a_pipeline_that_deploys_nothing_shows_nothing() -> None:
    assert facts_from_pipeline(".gitlab-ci.yml", "test:\n  script:\n    - pytest\n") == Facts()
