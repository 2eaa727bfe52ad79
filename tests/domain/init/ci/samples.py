"""Values from which the pipelines of tests are rendered."""

from __future__ import annotations

from kaizen_tasks.domain.init.ci.inputs import PipelineStage
from kaizen_tasks.domain.init.ci.installation import Installation

STAGES = (
    PipelineStage(name="staging", protected=False, size=1),
    PipelineStage(name="prod", protected=True, size=1),
    PipelineStage(name="beta", protected=False, size=3),
)
INSTALLATION = Installation(
    version="1.2.3",
    address="https://code.example/team/kaizen_tasks",
    commit="0123456789abcdef0123456789abcdef01234567",
    dependencies="attrs==26.1.0 \\\n    --hash=sha256:c647\n",
)


def is_workflow(text: str) -> bool:
    """Return whether a rendered file is a workflow of GitHub."""
    return "\njobs:\n" in text
