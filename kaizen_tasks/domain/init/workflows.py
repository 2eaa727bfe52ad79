"""Renders GitHub workflows, whose jobs run one task each. Actions are pinned to commits, since a tag can be moved."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from string import Template

from attrs import frozen

from kaizen_tasks.domain.changelog import DEFAULT_PATH
from kaizen_tasks.domain.init import naming, pipeline

CHECK_WORKFLOW_PATH = ".github/workflows/changelog.yml"
RELEASE_WORKFLOW_PATH = ".github/workflows/release.yml"
PROPOSAL_WORKFLOW_PATH = ".github/workflows/propose.yml"
MAX_ENVIRONMENTS_PER_RUNNER = 25  # environments per runner; a promotion to more is split into shards
YAML_KEYWORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}  # https://yaml.org/type/bool.html
PINNED_ACTIONS = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "credentials": "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
    "sarif": "github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2",
}


class YamlTemplate(Template):
    """A template with `%` as its delimiter, since YAML for GitHub is full of `$`."""

    delimiter = "%"


@frozen(kw_only=True)
class WorkflowStage:
    """A stage of the pipeline, for which a workflow has a job.

    Attributes:
        name: name of the environment or group.
        protected: whether a change needs a confirmation, here that of a reviewer.
        size: number of environments in the stage.
    """

    name: str
    protected: bool
    size: int

    @property
    def github_environment(self) -> str:
        """Name of the GitHub environment whose reviewers approve; empty when no approval is needed."""
        return github_environment_for(self.name) if self.protected else ""


def github_environment_for(stage: str) -> str:
    """Return the name of the GitHub environment for a protected stage."""
    return "production" if stage.lower() in pipeline.PRODUCTION_NAMES else stage


@frozen(kw_only=True)
class WorkflowInputs:
    """The values from which the workflows are rendered.

    Attributes:
        branch: the branch from which releases are made.
        region: region of repositories and services.
        stages: the stages of the pipeline, in order.
        version: the version of `kaizen_tasks` that the runners install.
        release_paths: the files whose changes may make a release.
        version_paths: the files that repeat VERSION.
        proposes: whether releases are made by pull request.
    """

    branch: str
    region: str
    stages: tuple[WorkflowStage, ...]
    version: str
    release_paths: tuple[str, ...] = (DEFAULT_PATH, "VERSION")
    version_paths: tuple[str, ...] = ()
    proposes: bool = False


INSTALL_STEPS = """\
      - uses: %{python}
        with:
          python-version: "3.13"
      - name: Install the tasks
        run: python -m pip install --quiet kaizen-tasks==%{version}
"""

COMMITTER_STEP = """\
      - name: Configure the committer
        run: |
          git config user.name 'github-actions[bot]'
          git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
"""

CHECK_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github`: shows the problems of the changelog next to its lines.
name: Changelog

on:
  pull_request:
    paths: [%{{paths}}]

permissions: {{}}

concurrency:
  group: changelog-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  changelog:
    name: changelog.check
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
      security-events: write # to show the problems as code scanning results
    steps:
      - uses: %{{checkout}}
        with:
          fetch-depth: 0 # the check compares with tags
          persist-credentials: false
{INSTALL_STEPS}\
      - name: Collect the problems
        run: inv changelog.check --sarif > changelog.sarif || test "$?" -eq 3
      - uses: %{{sarif}}
        if: github.event.pull_request.head.repo.full_name == github.repository
        with:
          sarif_file: changelog.sarif
      - name: List the problems
        run: inv changelog.check
""")

RELEASE_WORKFLOW_HEADER = YamlTemplate("""\
# Written by `kaizen init --ci github`. Each job runs one task, as a person can.
#
# Set up once by hand: the role that `inv setup --print-iam --github OWNER/REPOSITORY` describes, the repository
# variable KAIZEN_ROLE_ARN with its ARN%{gates}.
name: Release

on:
  push:
    branches: [%{branch}]
    paths: %{paths}
  workflow_dispatch:

permissions: {}

jobs:
""")

PROPOSAL_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github --propose`: keeps a pull request with the next release, from what is noted.
#
# Set up once by hand: in Settings → Actions → General, allow GitHub Actions to create pull requests. Other workflows
# do not run on a pull request that the token of a workflow has opened; with the secret KAIZEN_TOKEN, that of an app
# or of a person that may write contents and pull requests, they do.
name: Propose

on:
  push:
    branches: [%{{branch}}]
    paths: [%{{paths}}]
  workflow_run: # what was noted while a release was under way
    workflows: [Release]
    types: [completed]
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: kaizen-propose
  cancel-in-progress: false

jobs:
  propose:
    name: propose
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: write # the branch release/next
      pull-requests: write
    steps:
      - uses: %{{checkout}}
        with:
          ref: %{{branch}}
          fetch-depth: 0 # a release needs the tags and the whole history
          token: ${{{{ secrets.KAIZEN_TOKEN || github.token }}}}
{INSTALL_STEPS}\
{COMMITTER_STEP}\
      - name: Propose the next release
        env:
          GITHUB_TOKEN: ${{{{ secrets.KAIZEN_TOKEN || github.token }}}}
        run: inv propose
""")

LIBRARY_RELEASE_WORKFLOW = YamlTemplate(f"""\
# Written by `kaizen init --ci github --propose`: tags and announces what a merged proposal releases.
name: Release

on:
  push:
    branches: [%{{branch}}]
    paths: [VERSION] # which a merged proposal changes
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: kaizen-release
  cancel-in-progress: false

jobs:
  release:
    name: cut
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: write # the tag and its release notes
    steps:
      - uses: %{{checkout}}
        with:
          ref: %{{branch}}
          fetch-depth: 0 # a release needs the tags and the whole history
{INSTALL_STEPS}\
{COMMITTER_STEP}\
      - name: Release what was merged
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for release.announce
        run: inv cut --push
""")

PREPARATION_STEPS = f"""\
      - uses: %{{checkout}}
        with:
          ref: %{{branch}}
          fetch-depth: 0 # a release needs the tags and the whole history
          persist-credentials: %{{persist}}
{INSTALL_STEPS}\
      - uses: %{{credentials}}
        with:
          role-to-assume: ${{{{ vars.KAIZEN_ROLE_ARN }}}}
          aws-region: %{{region}}
"""

SUMMARY_STEP = """\
      - name: Show what runs where
        if: ${{ !cancelled() }}
        run: |
          {
            echo '```'
            inv status
            echo '```'
          } >> "$GITHUB_STEP_SUMMARY"
"""

RELEASE_JOB = YamlTemplate(f"""\
  release:
    name: release-%{{stage}}
    runs-on: ubuntu-24.04
    timeout-minutes: 90
%{{gate}}\
    concurrency:
      group: kaizen-%{{stage}}
      cancel-in-progress: false
    permissions:
      contents: write # the release commit and its tag
      id-token: write # short-lived AWS credentials
    outputs:
      release: ${{{{ steps.name.outputs.release }}}}
    steps:
{PREPARATION_STEPS}\
{COMMITTER_STEP}\
      - name: Release to %{{stage}}
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for release.announce
        run: inv release-%{{word}}%{{yes}}
      - name: Pass the version to the other jobs
        id: name
        run: echo "release=v$(cat VERSION)" >> "$GITHUB_OUTPUT"
{SUMMARY_STEP}""")

PROMOTION_JOB = YamlTemplate(f"""\

  %{{job}}:
    name: promote-%{{stage}}
    needs: [%{{needs}}]
    runs-on: ubuntu-24.04
    timeout-minutes: 90
%{{gate}}%{{shards}}\
    concurrency:
      group: kaizen-%{{stage}}%{{alone}}
      cancel-in-progress: false
    permissions:
      contents: read
      id-token: write # short-lived AWS credentials
    steps:
{PREPARATION_STEPS}\
      - name: Promote to %{{stage}}
        env:
          RELEASE: ${{{{ needs.release.outputs.release }}}} # the approved release, even if there is a newer one
%{{shard}}\
        run: inv promote-%{{word}} --release "$RELEASE"%{{options}}
{SUMMARY_STEP}""")


def render_workflows(inputs: WorkflowInputs) -> dict[str, str]:
    """Return the texts of the workflows, by path; without a pipeline, only the workflow that checks the changelog."""
    paths = _yaml_list((*inputs.release_paths, *inputs.version_paths))
    values = {**PINNED_ACTIONS, "version": inputs.version, "branch": json.dumps(inputs.branch), "paths": paths}
    workflows = {CHECK_WORKFLOW_PATH: CHECK_WORKFLOW.substitute(values)}
    if inputs.stages:
        workflows[RELEASE_WORKFLOW_PATH] = _render_release_workflow(inputs)
    if inputs.proposes:
        workflows[PROPOSAL_WORKFLOW_PATH] = PROPOSAL_WORKFLOW.substitute(values)
    if inputs.proposes and not inputs.stages:
        workflows[RELEASE_WORKFLOW_PATH] = LIBRARY_RELEASE_WORKFLOW.substitute(values)
    return workflows


def _render_release_workflow(inputs: WorkflowInputs) -> str:
    first_stage, *later_stages = inputs.stages
    gates = " and ".join(stage.github_environment for stage in inputs.stages if stage.github_environment)
    gates_comment = gates and f", and the\n# GitHub environment {gates} with its reviewers"
    branch, values = json.dumps(inputs.branch), _common_values(first_stage, inputs)
    jobs = ["release", *(f"promote-{naming.slugify(stage.name)}" for stage in later_stages)]
    noted_paths = f"[{_yaml_list(inputs.release_paths)}] # changes without a note are not released"
    paths = "[VERSION] # which a merged proposal changes" if inputs.proposes else noted_paths
    header = RELEASE_WORKFLOW_HEADER.substitute(branch=branch, gates=gates_comment, paths=paths)
    release_job = RELEASE_JOB.substitute(values, branch=branch, persist="true # the release is pushed")
    promotions = (_render_promotion_job(stage, jobs[:end], inputs) for end, stage in enumerate(later_stages, 1))
    return "".join((header, release_job, *promotions))


def _common_values(stage: WorkflowStage, inputs: WorkflowInputs) -> Mapping[str, str]:
    gate = stage.github_environment
    return {
        **PINNED_ACTIONS,
        "stage": stage.name,
        "word": shlex.quote(stage.name),
        "region": _yaml_scalar(inputs.region),
        "version": inputs.version,
        "gate": f"    environment: {_yaml_scalar(gate)} # its reviewers approve\n" if gate else "",
        "yes": " --yes" if gate else "",
    }


def _yaml_scalar(text: str) -> str:
    """Return a text as YAML, in quotes if YAML would take it for something else: `on` is true, `1e3` a number."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) and text.lower() not in YAML_KEYWORDS
    return text if is_plain else json.dumps(text)


def _yaml_list(paths: Sequence[str]) -> str:
    """Return paths as the items of a YAML list, in quotes where YAML would take a character for its own."""
    return ", ".join(path if re.fullmatch(r"[A-Za-z][\w./-]*", path) else json.dumps(path) for path in paths)


def _render_promotion_job(stage: WorkflowStage, needs: Sequence[str], inputs: WorkflowInputs) -> str:
    shard_count = -(-stage.size // MAX_ENVIRONMENTS_PER_RUNNER)
    is_sharded = shard_count > 1
    shard_names = ", ".join(f'"{number}/{shard_count}"' for number in range(1, shard_count + 1))
    strategy = f"    strategy:\n      fail-fast: false\n      matrix:\n        shard: [{shard_names}]\n"
    return PROMOTION_JOB.substitute(
        _common_values(stage, inputs),
        job=f"promote-{naming.slugify(stage.name)}",
        branch=json.dumps(inputs.branch),
        persist="false",
        needs=", ".join(dict.fromkeys((needs[0], needs[-1]))),
        shards=strategy if is_sharded else "",
        alone="-${{ strategy.job-index }}" if is_sharded else "",
        shard="          SHARD: ${{ matrix.shard }}\n" if is_sharded else "",
        options=(' --shard "$SHARD"' if is_sharded else "") + (" --yes" if stage.github_environment else ""),
    )
