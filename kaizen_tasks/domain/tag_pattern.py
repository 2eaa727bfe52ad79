"""The naming scheme of git tags of versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from semver import Version


@frozen(kw_only=True)
class TagPattern:
    """A naming scheme: `web-v{version}` tags 1.2.3 as `web-v1.2.3`."""

    template: str = "v{version}"

    def format(self, version: object) -> str:
        """Return the tag of a version."""
        return self.template.format(version=version)

    def parse(self, tag: str) -> Version | None:
        """Return the version of a tag, or None when the tag does not follow this scheme."""
        prefix, _, suffix = self.template.partition("{version}")
        if not (tag.startswith(prefix) and tag.endswith(suffix)):
            return None
        try:
            version = parse_version(tag.removeprefix(prefix).removesuffix(suffix))
        except UsageError:
            return None
        return version if self.format(version) == tag else None

    @property
    def component(self) -> str:
        """The part that tells the tags of an app from those of its neighbours: `web` of `web-v{version}`; or empty."""
        prefix, _, suffix = self.template.partition("{version}")
        parts = (re.sub(r"(^|(?<=[-_/@.]))v$", "", prefix), suffix)
        return "-".join(filter(None, (part.strip("-_/@.") for part in parts)))

    @property
    def other_form(self) -> TagPattern:
        """The same scheme without `v` before the version, or with it: repositories change from one to the other."""
        prefix, _, rest = self.template.partition("{version}")
        has_v = prefix.endswith("v") and not prefix[-2:-1].isalnum()
        return TagPattern(template=f"{prefix[:-1] if has_v else prefix + 'v'}{{version}}{rest}")


DEFAULT_TAG_PATTERN = TagPattern()  # `v1.2.3`
