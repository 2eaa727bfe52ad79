"""Renders GitHub workflows, whose jobs run one task each. Actions are pinned to commits, since a tag can be moved."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init import naming
from kaizen_tasks.domain.init.ci.github_templates import (
    CACHE_STEPS,
    CHECK_WORKFLOW,
    DASHBOARD_JOB,
    DASHBOARD_WORKFLOW,
    DEFAULTS,
    GATE,
    LIBRARY_RELEASE_WORKFLOW,
    PROMOTION_JOB,
    PROPOSAL_JOB,
    PROPOSAL_WORKFLOW,
    PUSHING_COMMENT,
    RELEASE_JOB,
    RELEASE_WORKFLOW_HEADER,
)
from kaizen_tasks.domain.init.ci.inputs import ROLE_VARIABLE
from kaizen_tasks.domain.init.ci.installation import install_commands, requirement_files
from kaizen_tasks.domain.init.ci.yaml_text import yaml_list, yaml_scalar

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.ci.inputs import AppFolder, PipelineInputs, PipelineStage

COMMAND = "kaizen init --ci github"
REQUIREMENTS_FOLDER = ".github/kaizen"
WORKFLOWS_FOLDER = ".github/workflows"
PINNED_ACTIONS = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "credentials": "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
    "buildx": "docker/setup-buildx-action@37fe631027851001ddb9b187196cc803df7f5f0e # v4.3.0",
    "runtime": "crazy-max/ghaction-github-runtime@04d248b84655b509d8c44dc1d6f990c879747487 # v4.0.0",
    "pages_artifact": "actions/upload-pages-artifact@fc324d3547104276b827a68afc52ff2a11cc49c9 # v5.0.0",
    "pages_deployment": "actions/deploy-pages@cd2ce8fcbc39b97be8ca5fce6e763baed58fa128 # v5.0.0",
    "sarif": "github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2",
}


def workflow_path(folder: AppFolder, name: str) -> str:
    """Return the path of a workflow of an app: GitHub runs those of one folder at the top of the repository."""
    return f"{WORKFLOWS_FOLDER}/{folder.prefix}{name}.yml"


def cache_lines(folder: AppFolder) -> tuple[str, ...]:
    """Return lines of `[build]` by which layers are kept from one run to the next; other machines ignore them.

    An image replaces the layers of the last one in its scope, so each app has its own:
    https://docs.docker.com/build/cache/backends/gha/#scope.
    """
    scope = f",scope={folder.name}" if folder.name else ""
    return f'cache_from = ["type=gha{scope}"]', f'cache_to = ["type=gha,mode=max{scope}"]'


def render_workflows(inputs: PipelineInputs) -> dict[str, str]:
    """Return the texts of all files, by path; without a pipeline, the only workflow checks the changelog."""
    values = _common_values(inputs)
    files = {"changelog": CHECK_WORKFLOW.substitute(values)}
    if inputs.stages:
        files["release"] = _render_release_workflow(inputs, values)
    if inputs.publishes:
        files["dashboard"] = DASHBOARD_WORKFLOW.substitute(values, persist="false")
    if inputs.proposes:
        files["propose"] = PROPOSAL_WORKFLOW.substitute(values)
    if inputs.proposes and not inputs.stages:
        files["release"] = LIBRARY_RELEASE_WORKFLOW.substitute(values) + PROPOSAL_JOB.substitute(values)
    workflows = {workflow_path(inputs.folder, name): text for name, text in files.items()}
    return {**workflows, **requirement_files(inputs.installation, REQUIREMENTS_FOLDER, COMMAND)}


def _common_values(inputs: PipelineInputs) -> Mapping[str, str]:
    folder = inputs.folder
    own_role, shared_role = f"vars.{folder.role_variable}", f"vars.{ROLE_VARIABLE}"
    roles = f"{own_role} || {shared_role}" if folder.path else shared_role
    commands = install_commands(folder.path_from_app(REQUIREMENTS_FOLDER))
    return {
        **PINNED_ACTIONS,
        "prefix": folder.prefix,
        "title": folder.suffix,
        "place": folder.place,
        "defaults": DEFAULTS.substitute(folder=yaml_list([folder.path])) if folder.path else "",
        "install": "\n".join(f"          {command}" for command in commands),
        "branch": json.dumps(inputs.branch),
        "repository": inputs.repository or "OWNER/REPOSITORY",
        "paths": yaml_list(folder.globs((*inputs.release_paths, *inputs.version_paths))),
        "version_file": yaml_list(folder.globs(["VERSION"])),
        "sarif_file": yaml_list([folder.path_from_top("changelog.sarif")]),
        "proposal_workflow": workflow_path(folder, "propose"),
        "dashboard_workflow": workflow_path(folder, "dashboard"),
        "proposal_branch": inputs.proposal_branch,
        "region": yaml_scalar(inputs.region),
        "role": roles,
        "role_condition": f"({roles})" if folder.path else roles,
        "role_variable": f"{folder.role_variable}, or {ROLE_VARIABLE} for\n#   all apps"
        if folder.path
        else ROLE_VARIABLE,
    }


def _render_release_workflow(inputs: PipelineInputs, values: Mapping[str, str]) -> str:
    first_stage, *later_stages = inputs.stages
    jobs = ["release", *(f"promote-{naming.slugify(stage.name)}" for stage in later_stages)]
    noted_paths = f"[{yaml_list(inputs.folder.globs(inputs.release_paths))}] # changes without a note are not released"
    paths = f"[{values['version_file']}] # which a merged proposal changes" if inputs.proposes else noted_paths
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
    proposal_job = PROPOSAL_JOB.substitute(values) if inputs.proposes else ""
    dashboards = (
        DASHBOARD_JOB.substitute(values, job=job, stage=stage.name, slug=naming.slugify(stage.name))
        for stage, job in zip(inputs.stages, jobs, strict=True)
        if inputs.publishes
    )
    return "".join((header, release_job, *promotions, proposal_job, *dashboards))


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
        "gate": GATE.substitute(name=yaml_scalar(gate)) if gate else "",
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
