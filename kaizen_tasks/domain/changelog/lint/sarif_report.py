"""Problems as SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kaizen_tasks.domain.changelog.lint.rules import RULES

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.lint.problem import LintProblem


def to_sarif(problems: Iterable[LintProblem], *, path: str) -> str:
    """Return problems as a SARIF 2.1.0 document.

    Args:
        problems: the problems of a changelog and of its fragments.
        path: path of the changelog, relative to the root of the repository.
    """
    import json
    from urllib.parse import quote

    all_problems = tuple(problems)
    rules = [_rule(name) for name in dict.fromkeys(problem.rule for problem in all_problems)]
    run = {
        "tool": {"driver": {"name": "kaizen changelog.check", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, quote(problem.path or path)) for problem in all_problems],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str) -> Mapping[str, object]:
    rule = RULES[name]
    return {"id": name, "shortDescription": {"text": rule.about}, "defaultConfiguration": {"level": rule.severity}}


def _result(problem: LintProblem, uri: str) -> Mapping[str, object]:
    location = {"artifactLocation": {"uri": uri}, "region": {"startLine": problem.line, "startColumn": problem.column}}
    text, locations = f"{problem.message}, {problem.fix}", [{"physicalLocation": location}]
    return {"ruleId": problem.rule, "level": problem.severity, "message": {"text": text}, "locations": locations}
