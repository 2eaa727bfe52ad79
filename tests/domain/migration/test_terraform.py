from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import hcl2
import pytest

from kaizen_tasks.domain.migration.plan import Choices, define_service
from kaizen_tasks.domain.migration.terraform import TerraformRequest, render_terraform
from tests.domain.migration.samples import EXPRESS, FULL_SOURCE, IMAGE, PLAIN, PLAIN_SOURCE

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.migration.source import SourceService

CASES = {
    "express": (PLAIN_SOURCE, EXPRESS, Choices()),
    "express-full": (FULL_SOURCE, EXPRESS, Choices(subnets=("subnet-p", "subnet-q"))),
    "ecs": (PLAIN_SOURCE, PLAIN, Choices(subnets=("subnet-p", "subnet-q"), target_group="arn:tg")),
    "ecs-full": (FULL_SOURCE, PLAIN, Choices()),
}


def _render(source: SourceService, environment: Environment, choices: Choices, *, existing_id: str = "") -> str:
    definition = define_service(source, environment, choices, app="coach", image=IMAGE, version_path="/version")
    return render_terraform(
        [TerraformRequest(environment=environment.name, source=source, definition=definition, existing_id=existing_id)]
    )


@pytest.mark.parametrize("case", CASES)
def test_is_hcl_and_has_no_value_of_a_variable(case: str) -> None:
    text = _render(*CASES[case])

    document = hcl2.loads(text)

    assert document["resource"]
    assert "value-of-a-variable" not in text
    assert 'var.mark_variables["LICENCE"]' in text


@pytest.mark.parametrize("case", CASES)
@pytest.mark.integration
def test_is_written_as_terraform_fmt_would(case: str) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    text = _render(*CASES[case], existing_id="arn:aws:ecs:eu-west-1:1:service/default/mark-coach-service")

    formatted = subprocess.run(["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=True)

    assert text == formatted.stdout
