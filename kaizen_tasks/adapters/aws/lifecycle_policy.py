"""ECR's lifecycle policies as they are written.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from __future__ import annotations

import json
from typing import Any

from kaizen_tasks.domain.lifecycle import Rule
from kaizen_tasks.errors import Refused

TAKEN_AWAY = frozenset({"expire", "transition"})  # a transition archives, and an archived image cannot be pulled


def read(text: str, *, repository: str) -> tuple[Rule, ...]:
    """Return the rules of a policy that take images away; those that only touch archived ones are left out.

    Args:
        text: the policy, JSON.
        repository: whose it is, for the error.

    Raises:
        Refused: it is not written as ECR documents it.
    """
    try:
        written = json.loads(text)["rules"]
        return tuple(_rule(each) for each in written if _is_about_pullable_images(each))
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"the lifecycle policy of {repository} is written in an unknown way: {error!r}") from error


def _is_about_pullable_images(written: dict[str, Any]) -> bool:
    selection = written["selection"]
    archived = selection.get("storageClass") == "archive" or selection["countType"] == "sinceImageTransitioned"
    return written["action"]["type"] in TAKEN_AWAY and not archived


def _rule(written: dict[str, Any]) -> Rule:
    selection = written["selection"]
    number, counts = int(selection["countNumber"]), selection["countType"] == "imageCountMoreThan"
    prefixes = (f"{prefix}*" for prefix in selection.get("tagPrefixList", ()))
    return Rule(
        priority=int(written["rulePriority"]),
        status=selection["tagStatus"],
        patterns=(*prefixes, *selection.get("tagPatternList", ())),
        most=number if counts else None,
        days=None if counts else number,
        pulls=selection["countType"] == "sinceImagePulled",
    )
