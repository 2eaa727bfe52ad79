"""What releases beside the pipeline that is written."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.init.ci.conflicts import find_conflicts

WORKFLOW = ".github/workflows/main.yml"


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("package.json", '{"devDependencies": {"semantic-release": "^24"}}', "semantic-release"),
        (".releaserc.json", "{}", "semantic-release"),
        ("pyproject.toml", "[tool.semantic_release]\n", "python-semantic-release"),
        ("pyproject.toml", "[tool.commitizen]\n", "commitizen"),
        (".cz.toml", "", "commitizen"),
        ("release-please-config.json", "{}", "release-please"),
        (WORKFLOW, "- uses: googleapis/release-please-action@v4", "release-please"),
        (".changeset/config.json", "{}", "changesets"),
        (WORKFLOW, "- run: aws apprunner start-deployment --service-arn x", "deploys to App Runner"),
        (WORKFLOW, "uses: aws-actions/amazon-ecs-deploy-express-service@v1", "deploys to ECS"),
        (WORKFLOW, "- run: ecspresso deploy --config ecspresso.yml", "deploys to ECS"),
        (WORKFLOW, "- run: copilot svc deploy --name web --env test", "deploys to ECS"),
        (WORKFLOW, "- run: docker push $REPOSITORY:latest", "pushes images"),
        (WORKFLOW, "- uses: docker/build-push-action@v6", "pushes images"),
        (WORKFLOW, "- run: ./scripts/deploy.sh staging", "runs a deploy script"),
        (WORKFLOW, "- run: bash deploy.sh prod", "runs a deploy script"),
        (WORKFLOW, "- run: git tag v$VERSION", "tags versions"),
        (".gitlab-ci.yml", "deploy:\n  script:\n    - docker push x\n", "pushes images"),
    ],
)
def test_what_releases_too_is_named_with_its_file(path: str, text: str, words: str) -> None:
    conflicts = list(find_conflicts({path: text}, frozenset()))

    assert any(words in conflict and path in conflict and "remove" in conflict for conflict in conflicts)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (WORKFLOW, "jobs:\n  test:\n    steps:\n      - uses: actions/checkout@v4\n      - run: npm test\n"),
        (WORKFLOW, "# - run: ./deploy.sh\n"),
        ("package.json", '{"name": "coach", "version": "1.0.0"}'),
        ("README.md", "Run semantic-release, then docker push."),
    ],
)
def test_what_only_tests_or_is_only_mentioned_is_no_conflict(path: str, text: str) -> None:
    assert list(find_conflicts({path: text}, frozenset())) == []


def test_the_new_pipeline_is_no_conflict_with_itself() -> None:
    assert list(find_conflicts({WORKFLOW: "docker push x"}, frozenset({WORKFLOW}))) == []
