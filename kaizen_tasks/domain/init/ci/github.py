"""Renders GitHub workflows, whose jobs run one task each. Actions are pinned to commits, since a tag can be moved."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.ci.installation import install_commands, requirement_files
from kaizen_tasks.domain.init.ci.yaml_text import YamlTemplate, yaml_list, yaml_scalar

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.ci.inputs import PipelineInputs, PipelineStage

COMMAND = "kaizen init --ci github"
REQUIREMENTS_FOLDER = ".github/kaizen"
CACHE_LINES = ('cache_from = ["type=gha"]', 'cache_to = ["type=gha,mode=max"]')
"""Lines of `[build]` by which layers are kept from one run to the next; other machines ignore them."""

CHECK_WORKFLOW_PATH = ".github/workflows/changelog.yml"
RELEASE_WORKFLOW_PATH = ".github/workflows/release.yml"
PROPOSAL_WORKFLOW_PATH = ".github/workflows/propose.yml"
PINNED_ACTIONS = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "credentials": "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
    "buildx": "docker/setup-buildx-action@37fe631027851001ddb9b187196cc803df7f5f0e # v4.3.0",
    "runtime": "crazy-max/ghaction-github-runtime@04d248b84655b509d8c44dc1d6f990c879747487 # v4.0.0",
    "sarif": "github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2",
}

INSTALL_STEPS = """\
      - uses: %{python}
        with:
          python-version: "3.13"
      - name: Install the tasks
        run: |
%{install}
"""

COMMITTER_STEP = """\
      - name: Configure the committer
        run: |
          git config user.name 'github-actions[bot]'
          git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
"""

NEXT_RELEASE_STEP = """\
      - name: Find what there is to release
        id: next
        run: |
          release=$(inv next-release)
          echo "release=$release" >> "$GITHUB_OUTPUT"
"""

RELEASE_CONDITION = """\
        # Started by hand or again, it finishes what was begun.
        if: steps.next.outputs.release != '' || github.event_name == 'workflow_dispatch' || github.run_attempt > 1
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
      actions: read # with the next one: to show the problems as code scanning results
      security-events: write
    steps:
      - uses: %{{checkout}}
        with:
          fetch-depth: 0 # the check compares with tags
          persist-credentials: false
{INSTALL_STEPS}\
      - name: List the problems
        id: check
        run: inv changelog.check
      - name: Collect the problems for code scanning
        if: ${{{{ !cancelled() && steps.check.outcome != 'skipped' }}}}
        run: inv changelog.check --sarif > changelog.sarif || test "$?" -eq 3
      - uses: %{{sarif}}
        if: ${{{{ !cancelled() && github.event.pull_request.head.repo.full_name == github.repository }}}}
        continue-on-error: true # a private repository may be without code scanning
        with:
          sarif_file: changelog.sarif
""")

RELEASE_WORKFLOW_HEADER = YamlTemplate("""\
# Written by `kaizen init --ci github`. Each job runs one task, as a person can.
#
# Set up once by hand:
# - the role that `inv setup --print-iam --github %{repository}` describes, and its ARN in the
#   repository variable KAIZEN_ROLE_ARN; without the variable nothing is released
%{manual}name: Release

on:
  push:
    branches: [%{branch}]
    paths: %{paths}
  workflow_dispatch:

permissions: {}

jobs:
""")

PUSHING_COMMENT = YamlTemplate("""\
# - a rule that protects %{branch} must let GitHub Actions bypass it, since the job pushes releases. Where that is not
#   wanted, delete this file and run `kaizen init --ci github --propose`: then releases are pull requests
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
  workflow_call: # by the workflow Release, for what was noted while it ran
    secrets:
      KAIZEN_TOKEN:
        required: false
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
          persist-credentials: true # the branch is pushed
          token: ${{{{ secrets.KAIZEN_TOKEN || github.token }}}}
{INSTALL_STEPS}\
{COMMITTER_STEP}\
      - name: Propose the next release
        env:
          GITHUB_TOKEN: ${{{{ secrets.KAIZEN_TOKEN || github.token }}}}
        run: inv propose
""")

PROPOSAL_JOB = f"""\

  propose:
    name: propose
    needs: [release]
    if: ${{{{ !cancelled() && needs.release.result != 'skipped' }}}}
    permissions:
      contents: write
      pull-requests: write
    uses: ./{PROPOSAL_WORKFLOW_PATH}
    secrets:
      KAIZEN_TOKEN: ${{{{ secrets.KAIZEN_TOKEN }}}}
"""

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
  queue: max # releases that wait are not cancelled by newer ones

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
          persist-credentials: true # the tag is pushed
{INSTALL_STEPS}\
{COMMITTER_STEP}\
{NEXT_RELEASE_STEP}\
      - name: Release what was merged
{RELEASE_CONDITION}\
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for release.announce
        run: inv cut --push
{PROPOSAL_JOB}""")

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

CACHE_STEPS = YamlTemplate("""\
      # Both for build.cache_to: a builder that writes caches, and the address and token of GitHub's.
      - uses: %{buildx}
      - uses: %{runtime}
""")

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
    if: vars.KAIZEN_ROLE_ARN != ''
    runs-on: ubuntu-24.04
    timeout-minutes: 90
%{{gate}}\
    concurrency:
      group: kaizen-%{{stage}}
      cancel-in-progress: false
      queue: max # releases that wait are not cancelled by newer ones
    permissions:
      contents: write # the release commit and its tag
      id-token: write # short-lived AWS credentials
    outputs:
      release: ${{{{ steps.name.outputs.release }}}}
    steps:
{PREPARATION_STEPS}\
%{{cache}}\
{COMMITTER_STEP}\
{NEXT_RELEASE_STEP}\
      - name: Release to %{{stage}}
        id: release
{RELEASE_CONDITION}\
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}} # for release.announce
        run: inv release-%{{word}}%{{yes}}
      - name: Pass the version to the other jobs
        id: name
        if: steps.release.outcome == 'success'
        run: echo "release=v$(cat VERSION)" >> "$GITHUB_OUTPUT"
{SUMMARY_STEP}""")

PROMOTION_JOB = YamlTemplate(f"""\

  %{{job}}:
    name: promote-%{{stage}}
    needs: [%{{needs}}]
    if: needs.release.outputs.release != ''
    runs-on: ubuntu-24.04
    timeout-minutes: 90
%{{gate}}%{{shards}}\
    concurrency:
      group: kaizen-%{{stage}}%{{alone}}
      cancel-in-progress: false
      queue: max
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


def render_workflows(inputs: PipelineInputs) -> dict[str, str]:
    """Return the texts of all files, by path; without a pipeline, the only workflow checks the changelog."""
    values = _common_values(inputs)
    files = {CHECK_WORKFLOW_PATH: CHECK_WORKFLOW.substitute(values)}
    if inputs.stages:
        files[RELEASE_WORKFLOW_PATH] = _render_release_workflow(inputs, values)
    if inputs.proposes:
        files[PROPOSAL_WORKFLOW_PATH] = PROPOSAL_WORKFLOW.substitute(values)
    if inputs.proposes and not inputs.stages:
        files[RELEASE_WORKFLOW_PATH] = LIBRARY_RELEASE_WORKFLOW.substitute(values)
    return {**files, **requirement_files(inputs.installation, REQUIREMENTS_FOLDER, COMMAND)}


def _common_values(inputs: PipelineInputs) -> Mapping[str, str]:
    return {
        **PINNED_ACTIONS,
        "install": "\n".join(f"          {command}" for command in install_commands(REQUIREMENTS_FOLDER)),
        "branch": json.dumps(inputs.branch),
        "repository": inputs.repository or "OWNER/REPOSITORY",
        "paths": yaml_list((*inputs.release_paths, *inputs.version_paths)),
        "region": yaml_scalar(inputs.region),
    }


def _render_release_workflow(inputs: PipelineInputs, values: Mapping[str, str]) -> str:
    first_stage, *later_stages = inputs.stages
    jobs = ["release", *(f"promote-{naming.slugify(stage.name)}" for stage in later_stages)]
    noted_paths = f"[{yaml_list(inputs.release_paths)}] # changes without a note are not released"
    paths = "[VERSION] # which a merged proposal changes" if inputs.proposes else noted_paths
    header = RELEASE_WORKFLOW_HEADER.substitute(values, paths=paths, manual=_manual_steps(inputs))
    release_job = RELEASE_JOB.substitute(
        values,
        **_stage_values(first_stage),
        persist="true # the release is pushed",
        cache=CACHE_STEPS.substitute(values) if inputs.caches_layers else "",
    )
    promotions = (
        _render_promotion_job(stage, jobs[:end], {**values, **_stage_values(stage)})
        for end, stage in enumerate(later_stages, 1)
    )
    return "".join((header, release_job, *promotions, PROPOSAL_JOB if inputs.proposes else ""))


def _manual_steps(inputs: PipelineInputs) -> str:
    """Return the comment lines about what else a person sets up on GitHub."""
    gates = " and ".join(stage.ci_environment for stage in inputs.stages if stage.ci_environment)
    steps = [f"# - the GitHub environment {gates} with its reviewers\n"] if gates else []
    if not inputs.proposes:
        steps.append(PUSHING_COMMENT.substitute(branch=inputs.branch))
    return "".join(steps)


def _stage_values(stage: PipelineStage) -> Mapping[str, str]:
    gate = stage.ci_environment
    return {
        "stage": stage.name,
        "word": shlex.quote(stage.name),
        "gate": f"    environment: {yaml_scalar(gate)} # its reviewers approve\n" if gate else "",
        "yes": " --yes" if gate else "",
    }


def _render_promotion_job(stage: PipelineStage, needs: Sequence[str], values: Mapping[str, str]) -> str:
    count = stage.shard_count
    is_sharded = count > 1
    shard_names = ", ".join(f'"{number}/{count}"' for number in range(1, count + 1))
    strategy = f"    strategy:\n      fail-fast: false\n      matrix:\n        shard: [{shard_names}]\n"
    return PROMOTION_JOB.substitute(
        values,
        job=f"promote-{naming.slugify(stage.name)}",
        persist="false",
        needs=", ".join(dict.fromkeys((needs[0], needs[-1]))),
        shards=strategy if is_sharded else "",
        alone="-${{ strategy.job-index }}" if is_sharded else "",
        shard="          SHARD: ${{ matrix.shard }}\n" if is_sharded else "",
        options=(' --shard "$SHARD"' if is_sharded else "") + values["yes"],
    )
