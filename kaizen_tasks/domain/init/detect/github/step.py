"""A step of a job of GitHub Actions, whose expressions have values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen
from yaml.nodes import Node

from kaizen_tasks.domain.init.detect.yaml_nodes import line_of
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Trust

EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


@frozen(kw_only=True)
class Step:
    """A step of a job, for one combination of its matrix.

    Attributes:
        path: the workflow.
        node: the step.
        values: what its expressions mean: `env.NAME`, `matrix.NAME`, `steps.ID.outputs.NAME`.
        environment: the environment that its job is for, or empty.
        trust: how far the workflow is believed.
    """

    path: str
    node: Node
    values: Mapping[str, str]
    environment: str
    trust: Trust

    def fill(self, template: str) -> str:
        """Return a text with the known expressions replaced by their values."""
        for _ in range(3):
            template = EXPRESSION.sub(lambda match: self.values.get(match[1]) or match[0], template)
        return template

    def place(self, node: Node) -> str:
        """Return where a node is."""
        return f"{self.path}:{line_of(node)}"

    def fact(self, source: str, **values: str) -> EnvironmentFact:
        """Return a fact about the environment of the job."""
        return EnvironmentFact.of(values, environment=self.environment, source=source, trust=self.trust)
