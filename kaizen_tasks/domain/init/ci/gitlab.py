"""Renders the pipeline of GitLab CI, whose jobs run one task each: https://docs.gitlab.com/ci/yaml/."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.ci.installation import install_commands, requirement_files
from kaizen_tasks.domain.init.ci.yaml_text import YamlTemplate, yaml_list, yaml_scalar

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.ci.inputs import PipelineInputs, PipelineStage

COMMAND = "kaizen init --ci gitlab"
REQUIREMENTS_FOLDER = ".gitlab/kaizen"
JOBS_PATH = ".gitlab/kaizen.gitlab-ci.yml"
PIPELINE_PATH = ".gitlab-ci.yml"
INCLUDE_LINES = ("include:", f"  - local: {JOBS_PATH}")

PIPELINE = "# Written by `kaizen init --ci gitlab`.\n" + "\n".join(INCLUDE_LINES) + "\n"

JOBS_HEADER = YamlTemplate("""\
# Written by `%{command}`. Each job runs one task, as a person can.
# The stages are GitLab's own: a .gitlab-ci.yml with `stages` of its own needs test and deploy among them.
%{setup}
workflow:
  auto_cancel:
    on_new_commit: interruptible # releases that wait are not cancelled by newer ones

.kaizen:
  image: python:3.13-trixie
  interruptible: false
  variables:
    GIT_DEPTH: "0" # a release needs the tags and the whole history
    KAIZEN_SAFE_DIRECTORIES: $CI_PROJECT_DIR # the runner's files belong to another user than the job's
  before_script:
    - git config --global --add safe.directory "$CI_PROJECT_DIR"
%{install}

changelog:
  extends: .kaizen
  stage: test
  interruptible: true
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      changes: [%{paths}]
  script:
    - inv changelog.check
""")

SETUP_HEADER = """\
#
# Set up once by hand:
"""

TOKEN_COMMENT = YamlTemplate("""\
# - the protected and masked variable GITLAB_TOKEN: an access token of the project with the role Maintainer and the
#   scopes api and write_repository, since the token of a job may not push
# - %{branch} as a protected branch: only its jobs get protected variables%{pushing}
""")

ROLE_COMMENT = YamlTemplate("""\
# - the role that `inv setup --print-iam --gitlab %{repository}` describes, and its ARN in the
#   protected variable KAIZEN_ROLE_ARN; without the variable nothing is released
%{gates}\
# - the order of releases that wait, after the first one: glab api --method PUT
#   projects/:id/resource_groups/%{group} --field process_mode=oldest_first
""")

PUSHING_COMMENT = """, and the token's user must be allowed to push to
#   it. Where that is not wanted, delete this file and run `kaizen init --ci gitlab --propose`"""

CHECKOUT = """\

.kaizen-checkout: # of the branch itself, with a token that may push
  script:
    - git config user.name "$GITLAB_USER_NAME"
    - git config user.email "$GITLAB_USER_EMAIL"
    - git config credential.helper '!f() { echo username=kaizen; echo "password=$GITLAB_TOKEN"; }; f'
    - git remote set-url origin "$CI_PROJECT_URL.git"
    - git fetch --quiet --tags origin "$CI_COMMIT_BRANCH"
    - git switch --quiet --force-create "$CI_COMMIT_BRANCH" --track "origin/$CI_COMMIT_BRANCH"
"""

PROPOSAL_JOB = YamlTemplate("""\

propose:
  extends: .kaizen
  stage: deploy
  resource_group: kaizen-propose
  rules:
    - if: $CI_COMMIT_BRANCH == %{branch} && $CI_PIPELINE_SOURCE =~ /^(push|web)$/
  script:
    - !reference [.kaizen-checkout, script]
    - inv propose
""")

LIBRARY_RELEASE_JOB = YamlTemplate("""\

release:
  extends: .kaizen
  stage: deploy
  resource_group: kaizen-release
  rules:
    - if: $CI_COMMIT_BRANCH == %{branch} && $CI_PIPELINE_SOURCE == "push"
      changes: [VERSION] # which a merged proposal changes
    - if: $CI_COMMIT_BRANCH == %{branch} && $CI_PIPELINE_SOURCE == "web"
  script:
    - !reference [.kaizen-checkout, script]
    - release=$(inv next-release)
    # Started by hand, it finishes what was begun.
    - if [ -z "$release" ] && [ "$CI_PIPELINE_SOURCE" != web ]; then exit 0; fi
    - inv cut --push
""")

AWS_LOGIN = YamlTemplate("""\

.kaizen-aws:
  extends: .kaizen
  stage: deploy
  timeout: 90 minutes
  id_tokens:
    KAIZEN_ID_TOKEN: # short-lived AWS credentials
      aud: sts.amazonaws.com
  variables:
    AWS_REGION: %{region}
    AWS_ROLE_ARN: $KAIZEN_ROLE_ARN
    AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/kaizen-id-token
  script:
    - !reference [.kaizen-checkout, script]
    - (umask 077 && printf %%s "$KAIZEN_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE")
""")

RULES = """\
  rules:
    - if: $CI_COMMIT_BRANCH != %{branch} || $KAIZEN_ROLE_ARN == null
      when: never
    - if: $CI_PIPELINE_SOURCE == "push"
      changes: [%{paths}]%{manual}
    - if: $CI_PIPELINE_SOURCE == "web"%{manual}
"""

RELEASE_JOB = YamlTemplate(f"""\

release:
  extends: .kaizen-aws
  resource_group: kaizen-%{{slug}}%{{environment}}
{RULES}\
%{{engine}}\
  script:
%{{install_engine}}\
    - !reference [.kaizen-aws, script]
    - release=$(inv next-release)
    - echo "RELEASE=$release" > release.env
    # Started by hand, it finishes what was begun.
    - if [ -z "$release" ] && [ "$CI_PIPELINE_SOURCE" != web ]; then exit 0; fi
    - inv release-%{{word}}%{{yes}}
    - echo "RELEASE=v$(cat VERSION)" > release.env
    - inv status
  artifacts:
    reports:
      dotenv: release.env
""")

ENGINE_VARIABLES = """\
  services:
    - docker:28-dind
  variables:
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /certs/client
"""

INSTALL_ENGINE = """\
    - apt-get update -qq && apt-get install -qq --yes --no-install-recommends docker-cli docker-buildx
"""

PROMOTION_JOB = YamlTemplate(f"""\

%{{job}}:
  extends: .kaizen-aws
  needs: [%{{needs}}]
  resource_group: kaizen-%{{slug}}%{{alone}}%{{environment}}
{RULES}\
%{{parallel}}\
  script:
    - if [ -z "${{RELEASE-}}" ]; then echo "nothing was released"; exit 0; fi
    - !reference [.kaizen-aws, script]
    - inv promote-%{{word}} --release "$RELEASE"%{{options}}
    - inv status
""")

MANUAL_RULE = "\n      when: manual\n      allow_failure: true"
"""Somebody approves by starting the job; a pipeline in which nobody does has passed."""


def render_pipeline(inputs: PipelineInputs) -> dict[str, str]:
    """Return the texts of all files, by path; without a pipeline, the only job checks the changelog."""
    command = f"{COMMAND} --propose" if inputs.proposes else COMMAND
    values = {
        "command": command,
        "install": "\n".join(f"    - {line}" for line in install_commands(REQUIREMENTS_FOLDER)),
        "paths": yaml_list((*inputs.release_paths, *inputs.version_paths)),
        "branch": json.dumps(inputs.branch),
        "region": yaml_scalar(inputs.region),
    }
    release_paths = "VERSION" if inputs.proposes else yaml_list(inputs.release_paths)
    is_pushing = inputs.proposes or bool(inputs.stages)
    jobs = (
        JOBS_HEADER.substitute(values, setup=_setup_comment(inputs) if is_pushing else ""),
        CHECKOUT if is_pushing else "",
        PROPOSAL_JOB.substitute(values) if inputs.proposes else "",
        LIBRARY_RELEASE_JOB.substitute(values) if inputs.proposes and not inputs.stages else "",
        *(_render_release_jobs(inputs, {**values, "paths": release_paths}) if inputs.stages else ()),
    )
    files = {PIPELINE_PATH: PIPELINE, JOBS_PATH: "".join(jobs)}
    return {**files, **requirement_files(inputs.installation, REQUIREMENTS_FOLDER, command)}


def _setup_comment(inputs: PipelineInputs) -> str:
    """Return the comment about what a person sets up on GitLab."""
    pushing = "" if inputs.proposes else PUSHING_COMMENT
    comment = SETUP_HEADER + TOKEN_COMMENT.substitute(branch=inputs.branch, pushing=pushing)
    if not inputs.stages:
        return comment
    gates = " and ".join(stage.ci_environment for stage in inputs.stages if stage.ci_environment)
    gates_comment = f"# - the protected environment {gates}, with those who may deploy: they start its job\n"
    runner_comment = (
        "# - a runner that may run docker:dind, as those of GitLab.com may\n" if inputs.needs_engine else ""
    )
    role_comment = ROLE_COMMENT.substitute(
        repository=inputs.repository or "GROUP/PROJECT",
        gates=gates_comment if gates else "",
        group=f"kaizen-{_slug(inputs.stages[0])}",
    )
    return comment + role_comment + runner_comment


def _render_release_jobs(inputs: PipelineInputs, values: Mapping[str, str]) -> Iterator[str]:
    first_stage, *later_stages = inputs.stages
    jobs = ["release", *(f"promote-{_slug(stage)}" for stage in later_stages)]
    yield AWS_LOGIN.substitute(values)
    yield RELEASE_JOB.substitute(
        values,
        **_stage_values(first_stage),
        engine=ENGINE_VARIABLES if inputs.needs_engine else "",
        install_engine=INSTALL_ENGINE if inputs.needs_engine else "",
    )
    for end, stage in enumerate(later_stages, 1):
        yield _render_promotion_job(stage, jobs[:end], {**values, **_stage_values(stage)})


def _slug(stage: PipelineStage) -> str:
    return naming.slugify(stage.name)


def _stage_values(stage: PipelineStage) -> Mapping[str, str]:
    gate = stage.ci_environment
    return {
        "slug": _slug(stage),
        "word": shlex.quote(stage.name),
        "environment": f"\n  environment: {yaml_scalar(gate)}" if gate else "",
        "yes": " --yes" if gate else "",
        "manual": MANUAL_RULE if gate else "",
    }


def _render_promotion_job(stage: PipelineStage, needs: Sequence[str], values: Mapping[str, str]) -> str:
    is_sharded = stage.shard_count > 1
    shards = ", ".join(f'"{number}/{stage.shard_count}"' for number in range(1, stage.shard_count + 1))
    return PROMOTION_JOB.substitute(
        values,
        job=f"promote-{_slug(stage)}",
        needs=", ".join(dict.fromkeys((needs[0], needs[-1]))),
        alone="-$SHARD" if is_sharded else "",
        parallel=f"  parallel:\n    matrix:\n      - SHARD: [{shards}]\n" if is_sharded else "",
        options=(' --shard "$SHARD"' if is_sharded else "") + values["yes"],
    )
