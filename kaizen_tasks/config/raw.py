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
    EvidenceRules,
    GitTagRules,
    ReleaseRules,
    VerifyRules,
)
from kaizen_tasks.domain.duration import Seconds
from kaizen_tasks.domain.rollout import RolloutRules
from kaizen_tasks.domain.runtime_config import RuntimeRules
from kaizen_tasks.domain.smoke import SmokeCheck


@frozen(kw_only=True)
class RawDefaults:
    """What every environment starts from."""

    platform: str = ""
    repository: str = ""
    service: str = ""
    url: str = ""
    protected: bool | None = None


@frozen(kw_only=True)
class RawEnvironment(RawDefaults):
    """A table below `[environments]`; what is empty or missing is taken from `[defaults]` and the like."""

    secret: str = ""
    min_age: Seconds | None = None

    def template(self, key: str, raw: RawConfig) -> str:
        """Return what a key says before its placeholders are filled in."""
        if key == "secret":
            return self.secret or raw.runtime.secret
        return str(getattr(self, key) or getattr(raw.defaults, key))


@frozen(kw_only=True)
class RawConfig:
    """The whole file."""

    app: str
    pipeline: tuple[str, ...]
    aws: AwsRules
    build: BuildRules
    release: ReleaseRules
    tag: GitTagRules
    defaults: RawDefaults
    environments: Mapping[str, RawEnvironment]
    groups: Mapping[str, tuple[str, ...]]
    deploy: DeployRules
    verify: VerifyRules
    evidence: EvidenceRules
    rollout: RolloutRules
    runtime: RuntimeRules
    smoke: tuple[SmokeCheck, ...] = ()
    docs_checklist: tuple[DocsRule, ...] = ()
