"""The CI systems for which a pipeline can be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init.ci.github import render_workflows
from kaizen_tasks.domain.init.ci.gitlab import render_pipeline

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.ci.inputs import PipelineInputs

RENDERERS: Mapping[str, Callable[[PipelineInputs], dict[str, str]]] = {
    "github": render_workflows,
    "gitlab": render_pipeline,
}
"""Functions that return the texts of all files by path, by name of the system."""


@frozen(kw_only=True)
class CiRequest:
    """Which pipeline is asked for.

    Attributes:
        system: a key of `RENDERERS`.
        proposes: whether releases are made by pull request.
        publishes: whether the dashboard is published.
    """

    system: str
    proposes: bool = False
    publishes: bool = False
