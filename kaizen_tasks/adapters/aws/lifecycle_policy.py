"""Parser for ECR's lifecycle policies.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

from __future__ import annotations

import json
from typing import Any

from kaizen_tasks.domain.lifecycle import LifecycleRule
from kaizen_tasks.errors import Refused

REMOVING_ACTIONS = frozenset({"expire", "transition"})  # a transition archives an image: it cannot be pulled


def parse_lifecycle_policy(text: str, *, repository: str) -> tuple[LifecycleRule, ...]:
    """Return those rules of a policy that delete or archive images.

    Args:
        text: the policy as JSON.
        repository: the repository's name, for the error message.

    Raises:
        Refused: the policy does not have the documented structure.
    """
    try:
        rules = json.loads(text)["rules"]
        return tuple(_parse_rule(rule) for rule in rules if _removes_pullable_images(rule))
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"the lifecycle policy of {repository} has an unknown structure: {error!r}") from error


def _removes_pullable_images(rule: dict[str, Any]) -> bool:
    selection = rule["selection"]
    is_about_archived = selection.get("storageClass") == "archive" or selection["countType"] == "sinceImageTransitioned"
    return rule["action"]["type"] in REMOVING_ACTIONS and not is_about_archived


def _parse_rule(rule: dict[str, Any]) -> LifecycleRule:
    selection = rule["selection"]
    limit, is_image_count = int(selection["countNumber"]), selection["countType"] == "imageCountMoreThan"
    prefixes = (f"{prefix}*" for prefix in selection.get("tagPrefixList", ()))
    return LifecycleRule(
        priority=int(rule["rulePriority"]),
        tag_status=selection["tagStatus"],
        tag_patterns=(*prefixes, *selection.get("tagPatternList", ())),
        max_images=limit if is_image_count else None,
        max_age_days=None if is_image_count else limit,
        uses_pull_time=selection["countType"] == "sinceImagePulled",
    )
