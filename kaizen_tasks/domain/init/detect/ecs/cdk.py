"""Finds the services of ECS in the sources of an app of the AWS CDK, which names most resources when it deploys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kaizen_tasks.domain.init.evidence import ECS, ECS_EXPRESS, EnvironmentFact, Facts, Ignored, Mention, Trust

CDK_FILE = re.compile(r"(?:.*/)?cdk\.json")
CDK_SERVICE = r"(Fargate|Express(Gateway)?|Ec2)Service\b"
"""What sources contain that create a service; an extended regular expression for git."""

NAMES: Mapping[str, re.Pattern[str]] = {
    key: re.compile(rf"""\b{key}_?[nN]ame["']?\s*[:=]\s*["'`]([\w./-]+)["'`]""")
    for key, word in (
        ("service", "service"),
        ("cluster", "cluster"),
        ("repository", "repository"),
        ("container", "container"),
    )
}
PORT = re.compile(r"""\bcontainer_?[pP]ort["']?\s*[:=]\s*(\d+)\b""")


def facts_from_cdk(sources: Mapping[str, str]) -> Facts:
    """Return the facts in sources: the platform, and the names that are written as such.

    Args:
        sources: texts of the sources of CDK apps that create services, by path.
    """
    found = {key: [*_matches(pattern, sources)] for key, pattern in NAMES.items()}
    known = {key: places[0] for key, places in found.items() if len({value for value, _ in places}) == 1}
    platform = next(iter(_platforms(sources)), None)
    if platform is None:
        return Facts()
    fact = EnvironmentFact.of(
        {"platform": platform.value, **{key: value for key, (value, _) in known.items()}},
        environment="",
        source=platform.source,
        trust=Trust.MANIFEST,
    )
    reason = "CDK names it when it deploys; kaizen init --from-aws reads it"
    return Facts(
        environment_facts=(fact,) if known else (),
        platforms=(platform,),
        ports=tuple(
            Mention(value=value, source=source, trust=Trust.MANIFEST) for value, source in _matches(PORT, sources)
        ),
        ignored=() if "service" in known else (Ignored(what="the service", source=platform.source, reason=reason),),
    )


def _platforms(sources: Mapping[str, str]) -> Iterator[Mention]:
    pattern = re.compile(CDK_SERVICE)
    for path, text in sorted(sources.items()):
        if match := pattern.search(text):
            value = ECS_EXPRESS if match[1].startswith("Express") else ECS
            yield Mention(value=value, source=f"{path}:{_line(text, match.start())}", trust=Trust.MANIFEST)


def _matches(pattern: re.Pattern[str], sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each value, with its place."""
    for path, text in sorted(sources.items()):
        for match in pattern.finditer(text):
            yield match[1], f"{path}:{_line(text, match.start())}"


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
