"""Renders the pipeline of GitLab CI, whose jobs run one task each: https://docs.gitlab.com/ci/yaml/."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.ci.inputs import ROLE_VARIABLE
from kaizen_tasks.domain.init.ci.installation import install_commands, requirement_files
from kaizen_tasks.domain.init.ci.yaml_text import YamlTemplate, yaml_list, yaml_scalar

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.ci.inputs import AppFolder, PipelineInputs, PipelineStage

COMMAND = "kaizen init --ci gitlab"
REQUIREMENTS_FOLDER = ".gitlab/kaizen"
JOBS_PATHS = ".gitlab/kaizen*.gitlab-ci.yml"
PIPELINE_PATH = ".gitlab-ci.yml"
INCLUDE_LINES = ("include:", f"  - local: {JOBS_PATHS}")

PIPELINE = "# Written by `kaizen init --ci gitlab`.\n" + "\n".join(INCLUDE_LINES) + "\n"

JOBS_HEADER = YamlTemplate("""\
# Written by `%{command}`%{place}. Each job runs one task, as a person can.
# The stages are GitLab's own: a .gitlab-ci.yml with `stages` of its own needs test and deploy among them.
# Tags of images can be moved. To pin one, write the digest that this prints behind its tag (NAME:TAG@sha256:DIGEST):
#   docker buildx imagetools inspect python:3.13-trixie
%{starting}%{setup}
workflow:
  auto_cancel:
    on_new_commit: interruptible # releases that wait are not cancelled by newer ones

.kaizen%{suffix}:
  image: python:3.13-trixie
  interruptible: false
  variables:
    GIT_DEPTH: "0" # a release needs the tags and the whole history
    KAIZEN_SAFE_DIRECTORIES: $CI_PROJECT_DIR # the runner's files belong to another user than the job's
  before_script:
    - git config --global --add safe.directory "$CI_PROJECT_DIR"
%{install}%{change_folder}

%{prefix}changelog:
  extends: .kaizen%{suffix}
  stage: test
  interruptible: true
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      changes: [%{paths}]
  script:
    - inv changelog.check
""")

STARTING_COMMENT = YamlTemplate("""\
# To start the jobs of this app by hand, run a pipeline with the variable KAIZEN_APP=%{name}.
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
#   protected variable %{role_variable}; without the variable nothing is released
%{gates}\
# - the order of releases that wait, after the first one: glab api --method PUT
#   projects/:id/resource_groups/%{group} --field process_mode=oldest_first
""")

DASHBOARD_COMMENT = YamlTemplate("""\
# - a schedule of pipelines for %{branch}, by which the dashboard is published between releases too. The jobs publish it
#   after each stage. Who may read it: Settings → General → Visibility → Pages; of a public project that is everybody
""")

PUSHING_COMMENT = """, and the token's user must be allowed to push to
#   it. Where that is not wanted, delete this file and run `kaizen init --ci gitlab --propose`"""

CHECKOUT = YamlTemplate("""\

.kaizen%{suffix}-checkout: # of the branch itself, with a token that may push
  script:
    - git config user.name "$GITLAB_USER_NAME"
    - git config user.email "$GITLAB_USER_EMAIL"
    - git config credential.helper '!f() { echo username=kaizen; echo "password=$GITLAB_TOKEN"; }; f'
    - git remote set-url origin "$CI_PROJECT_URL.git"
    - git fetch --quiet --tags origin "$CI_COMMIT_BRANCH"
    - git switch --quiet --force-create "$CI_COMMIT_BRANCH" --track "origin/$CI_COMMIT_BRANCH"
""")

PROPOSAL_JOB = YamlTemplate("""\

%{prefix}propose:
  extends: .kaizen%{suffix}
  stage: deploy
  resource_group: kaizen-%{prefix}propose
  rules:
    - if: $CI_COMMIT_BRANCH == %{branch} && $CI_PIPELINE_SOURCE == "push"
      changes: [%{paths}]
    - if: $CI_COMMIT_BRANCH == %{branch} && %{by_hand}
  script:
    - !reference [.kaizen%{suffix}-checkout, script]
    - inv propose
""")

LIBRARY_RELEASE_JOB = YamlTemplate("""\

%{prefix}release:
  extends: .kaizen%{suffix}
  stage: deploy
  resource_group: kaizen-%{prefix}release
  rules:
    - if: $CI_COMMIT_BRANCH == %{branch} && $CI_PIPELINE_SOURCE == "push"
      changes: [%{version_file}] # which a merged proposal changes
    - if: $CI_COMMIT_BRANCH == %{branch} && %{by_hand}
  script:
    - !reference [.kaizen%{suffix}-checkout, script]
    - release=$(inv next-release)
    # Started by hand, it finishes what was begun.
    - if [ -z "$release" ] && [ "$CI_PIPELINE_SOURCE" != web ]; then exit 0; fi
    - inv cut --push
""")

AWS_LOGIN = YamlTemplate("""\

.kaizen%{suffix}-aws:
  extends: .kaizen%{suffix}
  stage: deploy
  timeout: 90 minutes
  id_tokens:
    KAIZEN_ID_TOKEN: # short-lived AWS credentials
      aud: sts.amazonaws.com
  variables:
    AWS_REGION: %{region}
%{role_variable_line}\
    AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/kaizen-id-token
  script:
    - !reference [.kaizen%{suffix}-checkout, script]
%{role_line}\
    - (umask 077 && printf %%s "$KAIZEN_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE")
""")

RULES = """\
  rules:
    - if: $CI_COMMIT_BRANCH != %{branch} || %{no_role}
      when: never
    - if: $CI_PIPELINE_SOURCE == "push"
      changes: [%{paths}]%{manual}
    - if: %{by_hand}%{manual}
"""

RELEASE_JOB = YamlTemplate(f"""\

%{{prefix}}release:
  extends: .kaizen%{{suffix}}-aws
  resource_group: kaizen-%{{prefix}}%{{slug}}%{{environment}}
{RULES}\
%{{engine}}\
  script:
%{{install_engine}}\
    - !reference [.kaizen%{{suffix}}-aws, script]
    - release=$(inv next-release)
    - echo "RELEASE=$release" > release.env
    # Started by hand, it finishes what was begun.
    - if [ -z "$release" ] && [ "$CI_PIPELINE_SOURCE" != web ]; then exit 0; fi
    - inv release-%{{word}}%{{yes}}
    - echo "RELEASE=v$(cat VERSION)" > release.env
    - inv status
  artifacts:
    reports:
      dotenv: %{{release_file}}
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
  extends: .kaizen%{{suffix}}-aws
  needs: [%{{needs}}]
  resource_group: kaizen-%{{prefix}}%{{slug}}%{{alone}}%{{environment}}
{RULES}\
%{{parallel}}\
  script:
    - if [ -z "${{RELEASE-}}" ]; then echo "nothing was released"; exit 0; fi
    - !reference [.kaizen%{{suffix}}-aws, script]
    - inv promote-%{{word}} --release "$RELEASE"%{{options}}
    - inv status
""")

DASHBOARD_JOBS = YamlTemplate("""\

.kaizen%{suffix}-dashboard:
  extends: .kaizen%{suffix}-aws
  resource_group: kaizen-%{prefix}dashboard
  pages: true
  artifacts:
    paths: [public]
  script:
    - !reference [.kaizen%{suffix}-aws, script]
    - mkdir -p "$CI_PROJECT_DIR/public"
    - inv dashboard --out "$CI_PROJECT_DIR/public/index.html"

%{prefix}dashboard:
  extends: .kaizen%{suffix}-dashboard
  rules:
    - if: $CI_COMMIT_BRANCH != %{branch} || %{no_role}
      when: never
    - if: $CI_PIPELINE_SOURCE == "schedule"
""")

DASHBOARD_JOB = YamlTemplate(f"""\

%{{prefix}}dashboard-%{{slug}}:
  extends: .kaizen%{{suffix}}-dashboard
  needs: [%{{job}}]
{RULES}""")

MANUAL_RULE = "\n      when: manual\n      allow_failure: true"
"""Somebody approves by starting the job; a pipeline in which nobody does has passed."""


def jobs_path(folder: AppFolder) -> str:
    """Return the path of the file with the jobs of an app, which `JOBS_PATHS` matches."""
    return f".gitlab/kaizen{_suffix(folder)}.gitlab-ci.yml"


def _suffix(folder: AppFolder) -> str:
    return f"-{folder.name}" if folder.name else ""


def render_pipeline(inputs: PipelineInputs) -> dict[str, str]:
    """Return the texts of all files, by path; without a pipeline, the only job checks the changelog."""
    values = _common_values(inputs)
    paths = values["version_file"] if inputs.proposes else yaml_list(inputs.folder.globs(inputs.release_paths))
    is_pushing = inputs.proposes or bool(inputs.stages)
    starting = STARTING_COMMENT.substitute(values) if is_pushing and inputs.folder.path else ""
    setup = _setup_comment(inputs, values) if is_pushing else ""
    jobs = (
        JOBS_HEADER.substitute(values, starting=starting, setup=setup),
        CHECKOUT.substitute(values) if is_pushing else "",
        PROPOSAL_JOB.substitute(values) if inputs.proposes else "",
        LIBRARY_RELEASE_JOB.substitute(values) if inputs.proposes and not inputs.stages else "",
        *(_render_release_jobs(inputs, {**values, "paths": paths}) if inputs.stages else ()),
    )
    files = {PIPELINE_PATH: PIPELINE, jobs_path(inputs.folder): "".join(jobs)}
    return {**files, **requirement_files(inputs.installation, REQUIREMENTS_FOLDER, values["command"])}


def _common_values(inputs: PipelineInputs) -> Mapping[str, str]:
    folder = inputs.folder
    own_role, shared_role = folder.role_variable, ROLE_VARIABLE
    by_hand, no_role = '$CI_PIPELINE_SOURCE == "web"', f"${own_role} == null"
    return {
        "command": f"{COMMAND}{' --propose' * inputs.proposes}{' --dashboard' * inputs.publishes}",
        "name": folder.name,
        "prefix": folder.prefix,
        "suffix": _suffix(folder),
        "place": folder.place,
        "install": "\n".join(f"    - {line}" for line in install_commands(REQUIREMENTS_FOLDER)),
        "change_folder": f"\n    - {_change_folder(folder.path)}" if folder.path else "",
        "paths": yaml_list(folder.globs((*inputs.release_paths, *inputs.version_paths))),
        "version_file": yaml_list(folder.globs(["VERSION"])),
        "release_file": yaml_list([folder.path_from_top("release.env")]),
        "branch": json.dumps(inputs.branch),
        "region": yaml_scalar(inputs.region),
        "by_hand": f'{by_hand} && $KAIZEN_APP == "{folder.name}"' if folder.path else by_hand,
        "no_role": f"({no_role} && ${shared_role} == null)" if folder.path else no_role,
        "role_variable": f"{own_role}, or {shared_role} for\n#   all apps" if folder.path else shared_role,
        "role_variable_line": "" if folder.path else f"    AWS_ROLE_ARN: ${shared_role}\n",
        "role_line": f'    - export AWS_ROLE_ARN="${{{own_role}:-${shared_role}}}"\n' if folder.path else "",
    }


def _change_folder(path: str) -> str:
    """Return the command that changes to a folder, as YAML."""
    command = f"cd {shlex.quote(path)}"
    return command if command == f"cd {path}" else json.dumps(command)


def _setup_comment(inputs: PipelineInputs, values: Mapping[str, str]) -> str:
    """Return the comment about what a person sets up on GitLab."""
    pushing = "" if inputs.proposes else PUSHING_COMMENT
    comment = SETUP_HEADER + TOKEN_COMMENT.substitute(branch=inputs.branch, pushing=pushing)
    if not inputs.stages:
        return comment
    gates = " and ".join(_environment(stage, inputs.folder) for stage in inputs.stages if stage.ci_environment)
    gates_comment = f"# - the protected environment {gates}, with those who may deploy: they start its job\n"
    runner_comment = (
        "# - a runner that may run docker:dind, as those of GitLab.com may\n" if inputs.needs_engine else ""
    )
    role_comment = ROLE_COMMENT.substitute(
        values,
        repository=inputs.repository or "GROUP/PROJECT",
        gates=gates_comment if gates else "",
        group=f"kaizen-{inputs.folder.prefix}{_slug(inputs.stages[0])}",
    )
    dashboard_comment = DASHBOARD_COMMENT.substitute(branch=inputs.branch) if inputs.publishes else ""
    return comment + role_comment + runner_comment + dashboard_comment


def _environment(stage: PipelineStage, folder: AppFolder) -> str:
    """Return the name of the stage's environment, for each app another one.

    A deployment makes older ones to the same environment fail, those of other apps too:
    https://docs.gitlab.com/ci/environments/deployment_safety/#prevent-outdated-deployment-jobs.
    """
    gate = stage.ci_environment
    return f"{folder.name}/{gate}" if gate and folder.name else gate


def _render_release_jobs(inputs: PipelineInputs, values: Mapping[str, str]) -> Iterator[str]:
    first_stage, *later_stages = inputs.stages
    jobs = [f"{inputs.folder.prefix}{name}" for name in ("release", *map(_promotion, later_stages))]
    yield AWS_LOGIN.substitute(values)
    yield RELEASE_JOB.substitute(
        values,
        **_stage_values(first_stage, inputs.folder),
        engine=ENGINE_VARIABLES if inputs.needs_engine else "",
        install_engine=INSTALL_ENGINE if inputs.needs_engine else "",
    )
    for end, stage in enumerate(later_stages, 1):
        stage_values = _stage_values(stage, inputs.folder)
        yield _render_promotion_job(stage, jobs[:end], {**values, **stage_values, "job": jobs[end]})
    if inputs.publishes:
        yield DASHBOARD_JOBS.substitute(values)
        for stage, job in zip(inputs.stages, jobs, strict=True):
            yield DASHBOARD_JOB.substitute(values, job=job, slug=_slug(stage), manual="")


def _promotion(stage: PipelineStage) -> str:
    return f"promote-{_slug(stage)}"


def _slug(stage: PipelineStage) -> str:
    return naming.slugify(stage.name)


def _stage_values(stage: PipelineStage, folder: AppFolder) -> Mapping[str, str]:
    gate = _environment(stage, folder)
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
        needs=", ".join(dict.fromkeys((needs[0], needs[-1]))),
        alone="-$SHARD" if is_sharded else "",
        parallel=f"  parallel:\n    matrix:\n      - SHARD: [{shards}]\n" if is_sharded else "",
        options=(' --shard "$SHARD"' if is_sharded else "") + values["yes"],
    )
