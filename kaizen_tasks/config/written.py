"""The configuration as people write it: placeholders not filled in, environments without their defaults.

Names and types are those of the file; `reader` turns it into `Settings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from kaizen_tasks.config.settings import (
    AwsRules,
    BuildRules,
    DeployRules,
    DocsRule,
    ReleaseRules,
    SmokeCheck,
    TagRules,
    VerifyRules,
)
from kaizen_tasks.domain.rollout import RolloutRules


@frozen(kw_only=True)
class WrittenEnvironment:
    """A table below `[environments]`; what is empty or missing is taken from `[defaults]`."""

    platform: str = ""
    repository: str = ""
    service: str = ""
    url: str = ""
    protected: bool | None = None


@frozen(kw_only=True)
class Written:
    """The whole file."""

    app: str
    pipeline: tuple[str, ...]
    aws: AwsRules
    build: BuildRules
    release: ReleaseRules
    tag: TagRules
    defaults: WrittenEnvironment
    environments: Mapping[str, WrittenEnvironment]
    groups: Mapping[str, tuple[str, ...]]
    deploy: DeployRules
    verify: VerifyRules
    rollout: RolloutRules
    smoke: tuple[SmokeCheck, ...] = ()
    docs_checklist: tuple[DocsRule, ...] = ()
