"""Checks that a configuration value must pass beyond its type: each returns what is wrong, or an empty text."""

from __future__ import annotations

import difflib
import posixpath
import re
import string
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.domain.text.json_pointer import is_json_pointer, suggest_pointer
from kaizen_tasks.domain.version import parse_version
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ENGINES = ("auto", "docker", "podman", "buildah", "bundle", STAND_IN)
FORGES = ("github", "gitlab")
VERSION_FORMATS = ("auto", "json", "text")
VERSION_SPELLINGS = ("semver", "pep440")
BUMP_MODES = ("auto", "strict")
BUMP_PARTS = ("patch", "feature", "minor", "major", "follow")
SEVERITIES = ("error", "warning", "off")
MAX_START_SECONDS = 400
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
APP_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]{0,62})?"
REGION = r"([a-z]{2,}(-[a-z]+)+-[0-9]{1,2})?"
STAGE_NAME = r"([A-Za-z0-9][A-Za-z0-9_.-]*)?"
CONTEXT_NAME = r"[A-Za-z0-9_][A-Za-z0-9_./:-]*"
SECRET_ID = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"  # noqa: S105 - what its name may be
IMAGE_PLATFORM = r"[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?"
ROLE_ARN = r"(arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+)?"
EXTERNAL_ID = r"([\w+=,.@:/-]{2,1224})?"
ECS_NAME = r"([A-Za-z0-9_-]{1,255})?"
ACCOUNT_NUMBER = r"([0-9]{12})?"
URL = r"(https?://[^/?#\s]+[!-~]*)?"
VARIABLE_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SECRET_NAME = r"[A-Za-z0-9/_+=.@-]{1,512}"  # noqa: S105 - what its name may be
TARGET_NAME = r"[A-Za-z0-9/_+=.@:-]{1,200}"
HOST = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
CHANNEL = r"([CDGU][A-Z0-9]{2,})?"
NOTIFY_FORMATS = ("json", "slack", "apprise")
VERSION_LIKE = r"v.*\.|v?[0-9]+(\.|$)"
SECRET_ADVICE = (
    "store it as a secret, and write the name of that: "  # noqa: S105
    "aws secretsmanager create-secret --name kaizen/notify --secret-string file:///dev/stdin"
)


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest of the choices, or `; known: x, y` when none is near."""
    choices = tuple(choices)
    if matches := difflib.get_close_matches(name, choices, n=1):
        return f"; did you mean {matches[0]!r}?"
    return f"; known: {', '.join(choices)}" if choices else ""


def engine(name: str) -> str:
    """Accept the engines that can build an image."""
    return "" if name in ENGINES else f"{name!r} is not an engine{suggest(name, ENGINES)}"


def platform(name: str) -> str:
    """Accept the platforms that can be deployed to."""
    return "" if name in PLATFORMS else f"{name!r} is not a platform{suggest(name, PLATFORMS)}"


def forge(name: str) -> str:
    """Accept the servers whose API is known, or an empty text."""
    return "" if name in {"", *FORGES} else f"{name!r} is not a server with releases{suggest(name, FORGES)}"


def name(text: str) -> str:
    """Accept the name of an environment, a group or an app: it becomes part of commands, file names and workflows."""
    rule = "it may have letters, digits, - and _, and begins with a letter or a digit"
    return _match(text, NAME, f"a name: {rule}")


def app_name(text: str) -> str:
    """Accept the name of an app, or an empty text."""
    rule = "it may have letters, digits, -, _ and ., and begins with a letter or a digit"
    return _match(text, APP_NAME, f"a name: {rule}")


def region(text: str) -> str:
    """Accept the name of an AWS region, or an empty text."""
    return _match(text, REGION, "a region such as 'eu-west-1'")


def printable_text(text: str) -> str:
    """Accept text without line ends and control characters."""
    return "" if text.isprintable() else f"{text!r} has line ends or control characters"


def repository_name(text: str) -> str:
    """Accept the name of a repository in a registry.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    """
    part = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    return _match(text, rf"(?=.{{2,256}}$){part}(?:/{part})*", "the name of a repository, such as 'prod-coach-app'")


def service_name(platform: str, text: str) -> str:
    """Accept the name of a service of a platform."""
    kind = PLATFORMS[platform]
    rule = kind.service_name_rule
    return "" if re.fullmatch(kind.service_name, text) else f"{text!r} is not the name of a service: {rule}"


def cluster_name(text: str) -> str:
    """Accept the name of a cluster or of a container, or an empty text."""
    return _match(text, ECS_NAME, "a name: up to 255 letters, digits, - and _")


def subnet(text: str) -> str:
    """Accept the identifier of a subnet."""
    return _match(text, r"subnet-[0-9a-f]+", "the identifier of a subnet, such as 'subnet-0a1b2c3d'")


def security_group(text: str) -> str:
    """Accept the identifier of a security group."""
    return _match(text, r"sg-[0-9a-f]+", "the identifier of a security group, such as 'sg-0a1b2c3d'")


def role_arn(text: str) -> str:
    """Accept the ARN of a role, or an empty text."""
    return _match(text, ROLE_ARN, "the ARN of a role, such as 'arn:aws:iam::123456789012:role/release'")


def external_id(text: str) -> str:
    """Accept the external identifier of a role's trust policy, or an empty text.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    return _match(text, EXTERNAL_ID, "an external identifier: 2 to 1224 letters, digits and +=,.@:/-")


def secret_name(text: str) -> str:
    """Accept the name of a secret.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    return _match(text, SECRET_NAME, "the name of a secret: letters, digits and /_+=.@-")


def app_path(text: str) -> str:
    """Accept the path of a file in the app's folder, in its shortest form."""
    short = posixpath.normpath(text)
    if short.startswith(("/", "..")) or "\\" in text or not text.isprintable():
        return f"{text!r} is not a path inside the app's folder"
    if short == "." or text.endswith("/"):
        return f"{text!r} is not the path of a file"
    if "*" in text or "?" in text:
        return f"{text!r} is a pattern, not a path: name each file"
    return "" if text == short else f"{text!r} is written {short!r}"


def version_pattern(text: str) -> str:
    """Accept a text with `{version}` in one place, or an empty one."""
    if not text or text.count("{version}") == 1:
        return ""
    return f"{text!r} does not contain {{version}} exactly once"


def version_spelling(name: str) -> str:
    """Accept the ways to spell a version, or an empty text."""
    if not name or name in VERSION_SPELLINGS:
        return ""
    return f"{name!r} is not a spelling{suggest(name, VERSION_SPELLINGS)}"


def app_folder(text: str) -> str:
    """Accept the path of a folder below the app's, in its shortest form."""
    short = posixpath.normpath(text)
    return app_path(text.rstrip("/")) or ("" if text == short else f"{text!r} is written {short!r}")


def argument_name(text: str) -> str:
    """Accept the name of a build argument."""
    return _match(text, VARIABLE_NAME, "the name of a build argument: letters, digits and _")


def stage_name(text: str) -> str:
    """Accept the name or number of a stage of a Dockerfile, or an empty text."""
    return _match(text, STAGE_NAME, "the name of a stage of the Dockerfile")


def option_value(text: str) -> str:
    """Accept the value of an option of an engine."""
    return "" if text and text.isprintable() and not text.startswith("-") else f"{text!r} is not the value of an option"


OWN_BUILD_OPTIONS = {
    **dict.fromkeys(("--tag", "-t", "--label", "--load", "--push", "--output", "-o"), "it is set for every build"),
    "--file": "write dockerfile",
    "-f": "write dockerfile",
    "--platform": "write platform",
    "--build-arg": "write it in [build.args]",
    "--secret": "write it in [build.secrets]",
    "--ssh": "write ssh",
    "--build-context": "write it in [build.contexts]",
    "--target": "write target",
    "--cache-from": "write cache_from",
    "--cache-to": "write cache_to",
}
"""Options of builds that `build.options` may not have, and what to write instead."""


def build_option(text: str) -> str:
    """Accept an option that no other key of `[build]` stands for, or the value of one."""
    name = text.partition("=")[0]
    if not text or not text.isprintable():
        return f"{text!r} is not an option"
    return f"{name} is not an option for this list: {OWN_BUILD_OPTIONS[name]}" if name in OWN_BUILD_OPTIONS else ""


def context_name(text: str) -> str:
    """Accept the name of a build context, which may be that of an image."""
    return _match(text, CONTEXT_NAME, "a name: letters, digits and _ . / : -")


def secret_id(text: str) -> str:
    """Accept the id of a build secret."""
    return _match(text, SECRET_ID, "the id of a secret: letters, digits and _ . -")


def variable_name(text: str) -> str:
    """Accept the name of an environment variable."""
    return _match(text, VARIABLE_NAME, "the name of a variable: letters, digits and _")


def service_variable(text: str) -> str:
    """Accept the name of a variable that a service may have.

    https://docs.aws.amazon.com/apprunner/latest/dg/env-variable.html
    """
    if text == "PORT":
        return "'PORT' is set for every service; set rehearse.port"
    if text.startswith("AWSAPPRUNNER"):
        return f"{text!r} is reserved by App Runner"
    return variable_name(text)


def port(number: int) -> str:
    """Accept a port number, or 0."""
    return "" if 0 <= number <= 65535 else f"{number} is not a port number"


def image_platform(text: str) -> str:
    """Accept operating system and architecture."""
    return _match(text, IMAGE_PLATFORM, "a platform of images such as 'linux/amd64'")


def branch_pattern(text: str) -> str:
    """Accept the name of a branch, or a pattern of such names."""
    return "" if not _ref_error(text, "*?[]!") else f"{text!r} is not the name or pattern of a branch"


def remote_name(text: str) -> str:
    """Accept the name of a git remote."""
    return "" if not _ref_error(text, "") else f"{text!r} is not the name of a remote"


def _ref_error(text: str, pattern_characters: str) -> bool:
    """Return whether git, a shell or a workflow would not take a text as part of a ref.

    https://git-scm.com/docs/git-check-ref-format
    """
    characters = rf"[\w.,/@+#=%{re.escape(pattern_characters)}-]+"
    is_malformed = re.search(r"^[-/.]|\.\.|//|/\.|@\{|\.lock(/|$)|[/.]$", text)
    return not re.fullmatch(characters, text) or is_malformed is not None


def heading(text: str) -> str:
    """Accept the text of a heading in one line that does not look like a version."""
    if not text.strip() or not text.isprintable():
        return f"{text!r} is not the text of a heading"
    return f"{text!r} begins with a number, as a version does" if re.match(r"\[?v?[0-9]", text, re.IGNORECASE) else ""


def change_type(text: str) -> str:
    """Accept one of the six types of change, or a type of its own that resembles none of them."""
    from kaizen_tasks.domain.changelog import CHANGE_TYPES

    if text.casefold() in map(str.casefold, CHANGE_TYPES):
        return ""
    near_types = difflib.get_close_matches(text.capitalize(), CHANGE_TYPES, n=1, cutoff=0.75)
    return f"{text!r} is not a type of change; did you mean {near_types[0]!r}?" if near_types else heading(text)


def key_name(text: str) -> str:
    """Accept the name of a key of the runtime configuration, which is written before `=` on a command line."""
    return "" if re.fullmatch(r"[^\s=-][^\s=]*", text) and text.isprintable() else f"{text!r} is not the name of a key"


def _match(text: str, pattern: str, description: str) -> str:
    return "" if re.fullmatch(pattern, text) else f"{text!r} is not {description}"


def inherited(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return a check that also accepts an empty value, which is inherited."""
    return partial(_or_empty, check)


def _or_empty(check: Callable[[str], str], value: str) -> str:
    return check(value) if value else ""


def account_number(account: str) -> str:
    """Accept a 12-digit account number or an empty text."""
    return "" if re.fullmatch(ACCOUNT_NUMBER, account) else f"{account!r} is not a 12-digit account number"


def time_zone(name: str) -> str:
    """Accept the name of a time zone that this machine knows, or an empty text."""
    if name in {"", "UTC"}:
        return ""
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zones = zoneinfo.available_timezones()
        matches = difflib.get_close_matches(name, zones, n=1)
        advice = f"; did you mean {matches[0]!r}?" if matches else ", such as 'Europe/Berlin'"
        return f"{name!r} is not a time zone{advice if zones else ' here: install the package tzdata'}"
    return ""


def name_template(template: str) -> str:
    """Accept a name with the placeholders `{env}` and `{app}` only."""
    if placeholders(template) <= {"env", "app"}:
        return ""
    return f"{template!r} has a placeholder other than {{env}} and {{app}}"


def followed_tag(tag: str) -> str:
    """Accept a tag that an image may have and that is not reserved for versions."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag):
        return f"{tag!r} is not the tag of an image"
    return f"{tag!r} looks like a version, and the tag of a version never moves" if re.match(VERSION_LIKE, tag) else ""


def tag_template(template: str) -> str:
    """Accept the name of a git tag with the placeholder `{version}` only."""
    if "{version}" not in template:
        return f"{template!r} does not contain {{version}}"
    if placeholders(template) != {"version"}:
        return f"{template!r} has a placeholder other than {{version}}"
    return f"{template!r} is not the name of a tag" if _ref_error(template.format(version="1.2.3"), "") else ""


def bump_rules(rules: str | Mapping[str, str]) -> str:
    """Accept `auto`, `strict`, or a table that gives types of change a part of the version."""
    if isinstance(rules, str):
        error = f"{rules!r} is neither a table of types nor a rule{suggest(rules, BUMP_MODES)}"
        return "" if rules in BUMP_MODES else error
    wrong = next(((change_type, part) for change_type, part in rules.items() if part not in BUMP_PARTS), None)
    return f"{wrong[0]} = {wrong[1]!r} is not a part of the version{suggest(wrong[1], BUMP_PARTS)}" if wrong else ""


def message_template(template: str) -> str:
    """Accept the message of a release commit."""
    return _message_error(template, ("version", "tag", "notes"))


def tag_message_template(template: str) -> str:
    """Accept the message of a tag."""
    return _message_error(template, ("app", "version", "tag", "notes"))


def _message_error(template: str, names: tuple[str, ...]) -> str:
    subject = template.strip().partition("\n")[0].strip()
    if not subject or subject.startswith("#"):
        return f"{template!r} has no subject in its first line"
    if "{notes}" in subject:
        return f"{template!r} has {{notes}} in its first line; put it below a blank line"
    if unknown := placeholders(template) - set(names):
        choices = ", ".join(f"{{{name}}}" for name in names)
        return f"{unknown.pop()!r} is not a placeholder (known: {choices}; a brace is written {{{{ or }}}})"
    return ""


def placeholders(template: str) -> set[str]:
    """Return the names in braces; for a malformed template the template itself, which is never a valid name."""
    try:
        fields = [field for field in string.Formatter().parse(template) if field[1] is not None]
        if any(spec or conversion for _, _, spec, conversion in fields):  # `{env:>999999999}` has a width
            return {template}
        return {str(field[1]) for field in fields}
    except ValueError:
        return {template}


def url(address: str) -> str:
    """Accept a web address or an empty text."""
    if address and not address.startswith(("https://", "http://")):
        return f"{address!r} begins with neither https:// nor http://"
    return "" if re.fullmatch(URL, address) else f"{address!r} is not an address"


def severity(name: str) -> str:
    """Accept the severities of a rule of `changelog.check`."""
    return "" if name in SEVERITIES else f"{name!r} is not a severity{suggest(name, SEVERITIES)}"


def lint_rule(name: str) -> str:
    """Accept the rules of `changelog.check`."""
    from kaizen_tasks.domain.changelog.lint.rules import RULES

    return "" if name in RULES else f"{name!r} is not a rule{suggest(name, RULES)}"


def version(text: str) -> str:
    """Accept a version, or an empty text."""
    try:
        parse_version(text or "0.0.0")
    except UsageError:
        return f"{text!r} is not a version such as '1.2.3'"
    return ""


def json_pointer(text: str) -> str:
    """Accept a JSON pointer."""
    return "" if is_json_pointer(text) else f"{text!r} is not a JSON pointer; did you mean {suggest_pointer(text)!r}?"


def version_format(name: str) -> str:
    """Accept the formats of an answer that names the version."""
    return "" if name in VERSION_FORMATS else f"{name!r} is not a format{suggest(name, VERSION_FORMATS)}"


def url_path(path: str) -> str:
    """Accept the path of a web address."""
    if not path.startswith("/"):
        return f"{path!r} does not begin with /"
    return "" if re.fullmatch(r"[!-~]*", path) else f"{path!r} has characters that are written as %20 and the like"


def at_least(minimum: int) -> Callable[[int], str]:
    """Return a check that accepts numbers from a minimum up."""
    return partial(_not_below, minimum)


def _not_below(minimum: int, number: int) -> str:
    return "" if number >= minimum else f"{number} is below {minimum}"


def not_zero(seconds: float) -> str:
    """Accept a timeout above zero."""
    return "" if seconds else "leaves no time for a request"


def start_timeout(seconds: float) -> str:
    """Accept what a health check of App Runner can wait: 20 checks, 20 seconds apart."""
    return "" if seconds <= MAX_START_SECONDS else "is longer than 6m40s, which is all that App Runner can wait"


def topic(name: str) -> str:
    """Accept what messages may be about. The message does not repeat it, as no message about `[[notify]]` does."""
    from kaizen_tasks.domain.notification.topic import TOPICS

    return "" if name in TOPICS else f"is nothing that is told{suggest(name, map(str, TOPICS))}"


def notify_format(name: str) -> str:
    """Accept the formats of messages."""
    return "" if name in NOTIFY_FORMATS else f"is not a format{suggest(name, NOTIFY_FORMATS)}"


def target_name(text: str) -> str:
    """Accept the name of a target of messages, which is not a token: messages show it."""
    from kaizen_tasks.domain.text.token import is_token_like

    is_name = re.fullmatch(TARGET_NAME, text) and not is_token_like(text)
    return "" if is_name else "is not a name: letters, digits and /_+=.@:-, and no token"


def channel(text: str) -> str:
    """Accept the ID of a channel of Slack or the like, or an empty text.

    https://docs.slack.dev/reference/objects/conversation-object
    """
    return "" if re.fullmatch(CHANNEL, text) else "is not the ID of a channel, such as C0123456789: its details show it"


def webhook(address: str) -> str:
    """Accept an address that may be in a file that many can read, or an empty text; the message does not repeat it."""
    if address and not re.fullmatch(URL, address):
        return "is not a web address: it begins with https://"
    from kaizen_tasks.domain.text.token import has_token

    if has_token(address):
        return f"has a token in it, which everybody who reads this file could use; {SECRET_ADVICE}"
    return ""


def host(text: str) -> str:
    """Accept the name or the IP address of a server, or an empty text; the message does not repeat it."""
    is_host = re.fullmatch(f"({HOST})?", text)
    return "" if is_host else "is not a host alone, as in chat.corp.example: without https:// and port"


def notify_secret(name: str) -> str:
    """Accept the name of a secret, or an empty text, and not the secret itself; the message does not repeat it."""
    from kaizen_tasks.domain.text.token import is_token_like

    if name and (is_token_like(name) or not re.fullmatch(SECRET_NAME, name)):
        return "is not the name of a secret; if it is the secret itself, " + SECRET_ADVICE.partition("; ")[0]
    return ""
