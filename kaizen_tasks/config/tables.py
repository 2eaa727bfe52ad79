"""The tables of `kaizen.toml`: a class for each table, a field for each key. This is the only place to add a key.

A field has the type, the checks and the default of its key. The field's entry under `Attributes` is the key's help,
which ends with `Example:` if the default is not an example. Invoke's defaults, validation, error messages and the
reference are derived from these classes.

They are named tuples because every start-up reads their defaults: making them attrs classes takes 25 ms more. For the
same reason annotations are not postponed: `NamedTuple` would compile each of them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

from kaizen_tasks.config import checks
from kaizen_tasks.domain.text.duration import Seconds, write_duration
from kaizen_tasks.domain.text.json_pointer import OptionalPointer
from kaizen_tasks.domain.version import parse_version

if TYPE_CHECKING:
    from kaizen_tasks.domain.aws_target import AwsTarget
    from kaizen_tasks.domain.build.secret import BuildSecret
    from kaizen_tasks.domain.changelog.format import ChangelogFormat
    from kaizen_tasks.domain.changelog.lint.rules import LintRules, Severity
    from kaizen_tasks.domain.request_header import SecretHeader
    from kaizen_tasks.domain.runtime_config import KeyRule
    from kaizen_tasks.domain.smoke import SmokeCheck

MINUTE = 60.0


class AwsRules(NamedTuple):
    """`[aws]`: which account and region.

    Attributes:
        region: the region of repositories, services and ledger. Example: "eu-west-1"
        account: the 12-digit account number. Credentials of any other account are refused; empty accepts every account.
            Example: "123456789012"
        profile: the profile of `~/.aws/config`, unless `AWS_PROFILE` or a variable with credentials is set. Empty
            leaves the choice to boto3. Example: "coach-release"
        role: ARN of the role that releases; it is assumed with the credentials of profile or chain. Empty uses these as
            they are. Example: "arn:aws:iam::123456789012:role/release"
        external_id: what the trust policy of the role asks for, if it does. Example: "coach"
    """

    region: Annotated[str, checks.region] = ""
    account: Annotated[str, checks.account_number] = ""
    profile: Annotated[str, checks.printable_text] = ""
    role: Annotated[str, checks.role_arn] = ""
    external_id: Annotated[str, checks.external_id] = ""

    @property
    def target(self) -> "AwsTarget":
        """Account and region of ledger and locks, and of every environment without its own."""
        from kaizen_tasks.domain.aws_target import AwsTarget

        return AwsTarget(**self._asdict())


def is_folder(context: str) -> bool:
    """Return whether a build context is a folder, and not a URL."""
    return "://" not in context and not context.startswith("git@")


class BuildRules(NamedTuple):
    """`[build]`: how the image is built.

    Attributes:
        context: folder of the build context, relative to the app's folder. It may be above the app's folder, within
            the repository: ".." for an app in a subfolder whose Dockerfile copies from the top.
        dockerfile: path of the Dockerfile, relative to the context.
        version_arg: the build argument that receives `v1.2.3`.
        platform: the platform of the image. App Runner runs `linux/amd64` only, ECS `linux/arm64` too.
        engine: `auto`, `docker`, `podman`, `buildah`, `bundle`, or `stand-in`: an image that only answers, for local
            clouds alone.
        command: what a `bundle` image runs. Empty: `ENTRYPOINT` and `CMD` of the Dockerfile's last stage.
            Example: ["python", "-m", "coach"]
        inherit: variables of this machine that a `bundle` runs with in a local cloud, where it uses this machine's
            programs: `PATH` and `VIRTUAL_ENV` are those of the app's virtual environment, if that is active. The image
            has their names only. Example: ["PATH", "VIRTUAL_ENV"]
        args: further build arguments. Example: BASE = "python:3.12-slim"
        target: the stage of the Dockerfile to build; empty is the last one. Example: "runtime"
        secrets: what `RUN --mount=type=secret,id=…` may read, by id. The values reach neither the image nor the output.
        ssh: agents and keys for `RUN --mount=type=ssh`, as in `docker build --ssh`. Example: ["default"]
        contexts: further build contexts, by name, for `COPY --from=…`: folders relative to the app's, as they are in
            the release commit, or URLs such as `docker-image://alpine:3.22`. Example: docs = "../docs"
        cache_from: caches to read, as in `docker build --cache-from`. Example: ["type=gha"]
        cache_to: caches to write, as in `docker buildx build --cache-to`. Example: ["type=gha,mode=max"]
        options: further options of the engine's build command. Example: ["--network=host"]
    """

    context: str = "."
    dockerfile: str = "Dockerfile"
    version_arg: Annotated[str, checks.argument_name] = "VERSION"
    platform: Annotated[str, checks.image_platform] = "linux/amd64"
    engine: Annotated[str, checks.engine] = "auto"
    command: tuple[str, ...] = ()
    inherit: tuple[Annotated[str, checks.variable_name], ...] = ()
    args: Mapping[str, str] = MappingProxyType({})
    target: Annotated[str, checks.stage_name] = ""
    secrets: Mapping[str, "BuildSecret"] = MappingProxyType({})
    ssh: tuple[Annotated[str, checks.option_value], ...] = ()
    contexts: Mapping[str, Annotated[str, checks.option_value]] = MappingProxyType({})
    cache_from: tuple[Annotated[str, checks.option_value], ...] = ()
    cache_to: tuple[Annotated[str, checks.option_value], ...] = ()
    options: tuple[Annotated[str, checks.build_option], ...] = ()

    @property
    def needs_support(self) -> bool:
        """Whether the build needs more of an engine than every engine supports."""
        return bool(self.target or self.secrets or self.ssh or self.contexts or self.cache_from or self.cache_to)

    @property
    def exported_folder(self) -> str:
        """The folder that a build needs of a commit, relative to the app's: `.`, or `..` if a context is above."""
        import posixpath

        folders = (self.context, *filter(is_folder, self.contexts.values()))
        height = max(posixpath.normpath(folder).split("/").count("..") for folder in folders)
        return "/".join([".."] * height) or "."


class ChangelogRules(NamedTuple):
    """`[changelog]`: where the changelog is, and how it is written and checked.

    Attributes:
        file: path of the changelog, relative to the app's folder. Empty: `CHANGELOG.md`, or the one file in the app's
            folder or in `docs` that has such a name, like `Changes.md`. Example: "docs/CHANGELOG.md"
        fragments: folder of the fragments, relative to the app's folder: files `<slug>.<type>.md` with one entry each,
            which a release folds into the changelog. Empty: there are none. Example: "changelog.d"
        rules: the severity of [rules of `changelog.check`](changelog-rules.md), by name: `error`, `warning` or `off`.
            Example: tag-missing = "off"
        since: the oldest release that `changelog.check` checks, all with the same severity. Empty: problems of releases
            before the newest one are warnings. Example: "1.0.0"
        types: headings of entries and the type of change that each stands for: one of the six, or a type of its own.
            Example: Documentation = "Documentation"
        unreleased: further names of the heading `[Unreleased]`. Example: ["À venir"]
    """

    file: Annotated[str, checks.inherited(checks.app_path)] = ""
    fragments: Annotated[str, checks.inherited(checks.app_folder)] = ""
    rules: Mapping[str, Annotated[str, checks.severity]] = MappingProxyType({})
    since: Annotated[str, checks.version] = ""
    types: Mapping[str, Annotated[str, checks.change_type]] = MappingProxyType({})
    unreleased: tuple[Annotated[str, checks.heading], ...] = ()

    @property
    def format(self) -> "ChangelogFormat":
        """What the headings of the changelog mean."""
        from kaizen_tasks.domain.changelog.format import ChangelogFormat

        return ChangelogFormat(unreleased_names=self.unreleased, type_names=tuple(self.types.items()))

    @property
    def lint_rules(self) -> "LintRules":
        """How severe each rule of `changelog.check` is."""
        from kaizen_tasks.domain.changelog.lint.rules import LintRules

        since = parse_version(self.since) if self.since else None
        return LintRules(severities=cast("Mapping[str, Severity]", self.rules), since=since)


class ReleaseRules(NamedTuple):
    """`[release]`: where releases are made from.

    Attributes:
        branches: names or patterns of branches that releases are made from.
        hotfix_branches: names or patterns of branches that a hotfix for one environment may come from.
        remote: the git remote that releases are pushed to; by default the only one or, of several, the one that the
            branch tracks. Example: "upstream"
        tag: name of the git tag; `{version}` becomes `1.2.3`.
        atomic: push branch and tag both or neither; `false` is for a remote without atomic pushes.
        bump: which part of the version a type of change requires. `auto`: `Added` and `Deprecated` a feature, `Removed`
            and breaking changes a major one, `Fixed` and `Security` a patch; `Changed` and types of your own require
            what the others do, and alone a patch. `strict`: these require a feature. In a table, types have a part or
            `follow` the others, as in `Changed = "patch"`; all others are as in `auto`. Example: "strict"
        message: message of the release commit, whose body may have several lines. `{version}` becomes `1.2.3`, `{tag}`
            the git tag, and `{notes}` the release's section of the changelog. Example: "chore(release): {version}"
        signoff: add a `Signed-off-by` of the committer to the release commit, as `git commit --signoff` does.
        timezone: the time zone whose calendar dates a release; empty is that of the machine that releases.
            `SOURCE_DATE_EPOCH` replaces the time. Example: "Europe/Berlin"
        announce: publish the release notes on GitHub or GitLab, as a release of the tag, once it is pushed.
        forge: what the server of the remote is, `github` or `gitlab`; empty: its name or the CI run tells.
            Example: "gitlab"
        deployment_status: show deployments on the page of the environments of GitHub or GitLab, in a CI run with a
            token.
    """

    branches: tuple[Annotated[str, checks.branch_pattern], ...] = ("main",)
    hotfix_branches: tuple[Annotated[str, checks.branch_pattern], ...] = ("hotfix/*",)
    remote: Annotated[str, checks.inherited(checks.remote_name)] = ""
    tag: Annotated[str, checks.tag_template] = "v{version}"
    atomic: bool = True
    bump: Annotated[str | Mapping[str, str], checks.bump_rules] = "auto"
    message: Annotated[str, checks.message_template] = "Release {tag}"
    signoff: bool = False
    timezone: Annotated[str, checks.time_zone] = ""
    announce: bool = False
    forge: Annotated[str, checks.forge] = ""
    deployment_status: bool = True


class GitTagRules(NamedTuple):
    """`[tag]`: how the git tag is made.

    Attributes:
        message: message of the tag, which may have several lines. `{version}` becomes `1.2.3`, `{tag}` the git tag,
            `{app}` the app's name, and `{notes}` the release's section of the changelog. Example: "{app} {version}"
        sign: sign the tag with gpg, ssh or x509, as git is configured; by default if git's `tag.gpgSign` or
            `tag.forceSignAnnotated` says so. Example: true
    """

    message: Annotated[str, checks.tag_message_template] = "{app} v{version}"
    sign: bool | None = None


class RawDefaults(NamedTuple):
    """`[defaults]`: what every environment starts from.

    Attributes:
        platform: what runs an environment: `apprunner`, `ecs-express` (ECS Express Mode) or `ecs` (ECS on Fargate).
        repository: name of the image repository; `{env}` and `{app}` are filled in.
        service: name of the service; `{env}` and `{app}` are filled in.
        cluster: the cluster of the service, on `ecs-express` and `ecs`; `{env}` and `{app}` are filled in.
        container: the container of the task definition that runs the app, on `ecs-express` and `ecs`. Empty: the
            essential one. Example: "web"
        task: family of the ECS task definition in which commands run, on `apprunner`, which runs none itself; in the
            cluster that `cluster` names. `{env}` and `{app}` are filled in. Example: "{env}-{app}-commands"
        subnets: the subnets in which these tasks run. Example: ["subnet-0a1b2c3d"]
        security_groups: security groups of these tasks. Empty: the default one of the network. Example: ["sg-0a1b2c3d"]
        public_ip: whether these tasks get a public address, which they need in a public subnet to load the image.
        follow: the tag of the image that the service deploys, which a deployment moves, on `apprunner`; `{env}` and
            `{app}` are filled in. Environments that share a repository follow different tags.
        url: address of the app; `{env}` and `{app}` are filled in. Empty: the platform's own address, which `ecs` does
            not give. Example: "https://{env}.coach.example"
        protected: ask for a confirmation, or `--yes`, before changing an environment.
    """

    platform: Annotated[str, checks.platform] = "apprunner"
    repository: Annotated[str, checks.name_template] = "{env}-{app}-app"
    service: Annotated[str, checks.name_template] = "{env}-{app}-service"
    cluster: Annotated[str, checks.name_template] = "default"
    container: Annotated[str, checks.cluster_name] = ""
    task: Annotated[str, checks.name_template] = ""
    subnets: tuple[Annotated[str, checks.subnet], ...] = ()
    security_groups: tuple[Annotated[str, checks.security_group], ...] = ()
    public_ip: bool = False
    follow: Annotated[str, checks.name_template] = "latest"
    url: Annotated[str, checks.name_template, checks.url] = ""
    protected: bool = False


class RawEnvironment(NamedTuple):
    """A table below `[environments]`; an empty or missing value is inherited.

    Attributes:
        platform: as in `[defaults]`, for this environment. Example: "apprunner"
        repository: as in `[defaults]`, for this environment. Example: "my-personal-coach-app"
        service: as in `[defaults]`, for this environment. Example: "my-personal-coach-service"
        cluster: as in `[defaults]`, for this environment. Example: "coach"
        container: as in `[defaults]`, for this environment. Example: "web"
        task: as in `[defaults]`, for this environment. Example: "coach-commands"
        subnets: as in `[defaults]`, for this environment. Example: ["subnet-0a1b2c3d"]
        security_groups: as in `[defaults]`, for this environment. Example: ["sg-0a1b2c3d"]
        public_ip: as in `[defaults]`, for this environment. Example: true
        follow: as in `[defaults]`, for this environment. Example: "prod"
        account: as in `[aws]`, for repository, service and secret of this environment. Ledger and locks stay in the
            account of `[aws]`. Example: "210987654321"
        region: as in `[aws]`, for repository, service and secret of this environment. Example: "eu-central-1"
        role: as in `[aws]`, for this environment. Example: "arn:aws:iam::210987654321:role/release"
        external_id: as in `[aws]`, for this environment. Example: "coach"
        profile: as in `[aws]`, for this environment. Example: "coach-prod"
        url: as in `[defaults]`, for this environment. Example: "https://www.coach.example"
        protected: as in `[defaults]`, for this environment. Example: true
        secret: as `runtime.secret`, for this environment. Example: "my-personal-coach-secrets"
        formerly: names that the environment had before, oldest first; ledger, lock and hold are those of the first.
            Example: ["mark-old"]
        min_age: as in `[evidence]`, for releases that are promoted to this environment. Example: "1d"
    """

    platform: Annotated[str, checks.inherited(checks.platform)] = ""
    repository: Annotated[str, checks.name_template] = ""
    service: Annotated[str, checks.name_template] = ""
    cluster: Annotated[str, checks.name_template] = ""
    container: Annotated[str, checks.cluster_name] = ""
    task: Annotated[str, checks.name_template] = ""
    subnets: tuple[Annotated[str, checks.subnet], ...] = ()
    security_groups: tuple[Annotated[str, checks.security_group], ...] = ()
    public_ip: bool | None = None
    follow: Annotated[str, checks.name_template] = ""
    account: Annotated[str, checks.account_number] = ""
    region: Annotated[str, checks.region] = ""
    role: Annotated[str, checks.role_arn] = ""
    external_id: Annotated[str, checks.external_id] = ""
    profile: Annotated[str, checks.printable_text] = ""
    url: Annotated[str, checks.name_template, checks.url] = ""
    protected: bool | None = None
    secret: Annotated[str, checks.name_template] = ""
    formerly: tuple[Annotated[str, checks.name], ...] = ()
    min_age: Seconds | None = None

    def template(self, key: str, raw: "RawConfig") -> str:
        """Return the value of a key, inherited if necessary, before its placeholders are filled in."""
        inherited = raw.runtime.secret if key == "secret" else getattr(raw.defaults, key)
        return str(getattr(self, key) or inherited)

    def target(self, home: AwsRules) -> "AwsTarget":
        """Return where the environment is: as `[aws]` says, unless it has an account, role or profile of its own."""
        from attrs import evolve

        from kaizen_tasks.domain.aws_target import AwsTarget

        region = self.region or home.region
        if not (self.account or self.role or self.profile):
            return evolve(home.target, region=region, external_id=self.external_id or home.external_id)
        return AwsTarget(
            region=region,
            account=self.account or (self.role.split(":")[4] if self.role else home.account),
            role=self.role,
            external_id=self.external_id or home.external_id,
            profile=self.profile or home.profile,
        )


class LineRules(NamedTuple):
    """A table below `[lines]`, named after the versions of the line: `[lines."1.x"]`, or `[lines."1.2.x"]`.

    `"1.x" = "stable/1.x"` is short for a line with a branch only.

    Attributes:
        branch: name or pattern of the branch that the line is released from; it need not be in `release.branches`.
            Example: "stable/1.x"
        environments: environments that stay on the line: only its releases are promoted to them, once the first stage
            has verified them, and no other environment gets these. Example: ["mark"]
    """

    branch: Annotated[str, checks.branch_pattern]
    environments: tuple[str, ...] = ()


class DeployRules(NamedTuple):
    """`[deploy]`: limits of a deployment.

    Attributes:
        timeout: how long a deployment may take.
    """

    timeout: Seconds = Seconds(30 * MINUTE)


class VerifyRules(NamedTuple):
    """`[verify]`: when the running app has proven its version.

    Attributes:
        path: the path that answers with the version.
        format: `json`, `text` for an answer that is nothing but the version, or `auto`: text if the answer says that it
            is plain text and is not JSON.
        version: JSON pointer (RFC 6901) of the version in the answer. The version may be written as 1.2.3, v1.2.3 or
            like the git tag. Example: "/build/tag"
        environment: JSON pointer of the environment's name in the answer. Without the name, an answer does not prove
            that `url` leads to the right environment. `false` is for an app that cannot name it. Example: "/env"
        matches: how many consecutive right answers are needed, each over a new connection.
        interval: pause between requests.
        timeout: how long to wait for the right answers before verification fails.
        direct: ask each service at the platform's own address, past whatever is in front of `url`: a CDN that caches
            the path, a firewall.
        headers: headers of the request whose values are secrets, by name.
    """

    path: Annotated[str, checks.url_path] = "/version"
    format: Annotated[str, checks.version_format] = "auto"
    version: Annotated[str, checks.json_pointer] = "/version"
    environment: Annotated[OptionalPointer, checks.json_pointer] = OptionalPointer("/environment")
    matches: Annotated[int, checks.at_least(1)] = 3
    interval: Seconds = Seconds(1.0)
    timeout: Annotated[Seconds, checks.not_zero] = Seconds(5 * MINUTE)
    direct: bool = False
    headers: Mapping[str, "SecretHeader"] = MappingProxyType({})


class EvidenceRules(NamedTuple):
    """`[evidence]`: what must be known of a release before an environment accepts it.

    Attributes:
        min_age: how long ago the release must have been verified in the previous stage. Example: "1h"
    """

    min_age: Seconds = Seconds(0.0)


class RolloutRules(NamedTuple):
    """`[rollout]`: how carefully a stage of several environments is rolled out.

    Attributes:
        canary: how many environments go first.
        parallel: how many environments are deployed at a time.
        max_failures: how many environments may fail; after one more, no further environment is started.
        bake: how long to wait after the canaries. Example: "10m"
    """

    canary: Annotated[int, checks.at_least(0)] = 1
    parallel: Annotated[int, checks.at_least(1)] = 10
    max_failures: Annotated[int, checks.at_least(0)] = 0
    bake: Seconds = Seconds(0.0)


class RehearseRules(NamedTuple):
    """`[rehearse]`: what the services of a local cloud run with, in `rehearse`, `local.up` and `demo`.

    Attributes:
        env: environment variables of every service; `{env}` and `{app}` are filled in.
            Example: FEATURE_FLAGS = "all-{env}"
        secrets: path of a file with values that every service gets as secrets, relative to the app's folder: lines
            `NAME=value` as in `.env`, or a JSON object. They are also in each environment's runtime secret. Keep the
            file out of git; its values are never shown. Example: ".env.rehearse"
        port: the port that the app listens on. 0: the one that the image exposes, or 8080. Example: 8000
        start_timeout: how long a new instance may take to listen on its port, at most 6m40s.
    """

    env: Mapping[str, str] = MappingProxyType({})
    secrets: Annotated[str, checks.printable_text] = ""
    port: Annotated[int, checks.port] = 0
    start_timeout: Annotated[Seconds, checks.not_zero, checks.start_timeout] = Seconds(2 * MINUTE)


class RuntimeTable(NamedTuple):
    """`[runtime]`: where the runtime configuration is, and what these tasks may show and change.

    Attributes:
        secret: name of each environment's secret; `{env}` and `{app}` are filled in.
        visible: keys whose values may be shown. Example: ["NAME"]
        keys: the keys that can be set, by name; other members of the document are left alone.
    """

    secret: Annotated[str, checks.name_template] = "{env}-{app}-app-secrets"  # noqa: S105 - its name
    visible: tuple[str, ...] = ()
    keys: Mapping[str, "KeyRule"] = MappingProxyType({})


class BeforeDeployRule(NamedTuple):
    """`[[before_deploy]]`: a command that runs in the very image of a release, before the release serves.

    It runs once for each environment and release, with the roles, network, variables and secrets of the service. If it
    fails, nothing is deployed.

    Attributes:
        name: its name, which the ledger keeps. A command with another name is another command. Example: "migrate"
        command: the program and its arguments. A program that is not in the image fails; no shell reads it.
            Example: ["python", "manage.py", "migrate"]
        environments: environments or groups in which it runs. Empty: all. Example: ["prod"]
        timeout: how long it may take; then it is stopped, and has failed.
        reversible: whether earlier releases run with what it has changed. `false` keeps rollbacks from going behind it.
    """

    name: Annotated[str, checks.name]
    command: tuple[str, ...]
    environments: tuple[str, ...] = ()
    timeout: Annotated[Seconds, checks.not_zero] = Seconds(15 * MINUTE)
    reversible: bool = True


class NotifyRule(NamedTuple):
    """`[[notify]]`: who is told what happens. Messages are sent beside a command, which they never delay or fail.

    Attributes:
        on: what is told: `started`, `deployed`, `released` (verified in the first stage), `promoted` (verified in a
            later one), `hotfixed`, `configured`, `failed`, `rolled-back`, `abandoned`, `withdrawn`, `held`,
            `hold-removed`, `command-failed`, `command-run`, `migrating`, `retired`, `migrated`, `unmigrated`.
        stages: environments or groups about which it is told. Empty: all. Example: ["prod", "beta"]
        format: what the address takes: `json`, `slack` (also Mattermost and the like), or `apprise`: an address in
            the form of Apprise, which knows many services.
        webhook: the address, if anybody may know it, such as `https://deploys.coach.example/hook`. Example: ""
        webhook_secret: in place of `webhook`, name of a secret in the account of `[aws]` with the address.
            Example: "kaizen/slack"
        signing_secret: name of a secret in the account of `[aws]` with the key that signs the body of `json`, so that
            the receiver knows who has sent it. Example: "kaizen/webhook-key"
        token_secret: for `slack`, name of a secret in the account of `[aws]` with the token of a bot. Then each release
            is one message, which is edited, with a thread. Such as `kaizen/slack-bot`. Example: ""
        channel: the ID of the channel of the bot, such as `C0123456789`. Example: ""
        private_host: the host of the address, if it is in a private network, such as `chat.corp.example`. Of other
            hosts, addresses there are refused, so that nobody who can change a secret or a name reaches into it.
            Example: ""
        name: what `inv notify.test` and messages waiting for it call the target. Empty: the name of its secret, or the
            host of its address. Example: "team"
    """

    on: tuple[Annotated[str, checks.topic], ...] = ("released", "promoted", "hotfixed", "failed", "rolled-back", "held")
    stages: tuple[str, ...] = ()
    format: Annotated[str, checks.notify_format] = "json"
    webhook: Annotated[str, checks.webhook] = ""
    webhook_secret: Annotated[str, checks.notify_secret] = ""
    signing_secret: Annotated[str, checks.notify_secret] = ""
    token_secret: Annotated[str, checks.notify_secret] = ""
    channel: Annotated[str, checks.channel] = ""
    private_host: Annotated[str, checks.host] = ""
    name: Annotated[str, checks.inherited(checks.target_name)] = ""


class DocsRule(NamedTuple):
    """`[[docs_checklist]]`: documents that must change together with other files.

    Attributes:
        when: glob patterns: a release that touches one of these files … Example: ["infra/**", "Dockerfile"]
        update: … must touch one of these too, or give a reason with `--skip-docs`. Example: ["docs/versioning.md"]
    """

    when: tuple[str, ...]
    update: tuple[str, ...]


class VersionFile(NamedTuple):
    """`[[version_files]]`: files that repeat VERSION, which the release commit changes with it.

    Attributes:
        path: path of the file, relative to the app's folder. Example: "package.json"
        key: key of the version in a JSON, TOML, YAML, INI or properties file, with dots between the names. A name with
            dots is in quotes, and an item of a list is named by its number or by its `name`. In npm's lock files
            `version` stands for both places. Example: "version"
        pattern: in place of `key`, for any file: the text around the version, with `{version}` in its place, such as
            `coach=={version}`. Every place with such a text is changed. Example: ""
        spelling: how the file spells versions: `semver` (1.3.0-rc.1) or `pep440` (1.3.0rc1). Empty: `pep440` for files
            of Python projects, else `semver`. Example: "semver"
    """

    path: Annotated[str, checks.app_path]
    key: str = ""
    pattern: Annotated[str, checks.version_pattern] = ""
    spelling: Annotated[str, checks.version_spelling] = ""


class RawConfig(NamedTuple):
    """The whole file: placeholders not filled in, environments without what they inherit.

    Attributes:
        app: the app's name. It fills `{app}`, names image and ledger table, and confirms changes to protected
            environments. Example: "coach"
        pipeline: the stages in order: environments or groups. Releases go to the first one and are promoted to each
            later one. Example: ["staging", "prod", "beta"]
        groups: the environments of a group, in the order in which they are rolled out. Example: beta = ["mark", "dom"]
    """

    app: Annotated[str, checks.app_name] = ""
    pipeline: tuple[str, ...] = ()
    aws: AwsRules = AwsRules()
    build: BuildRules = BuildRules()
    changelog: ChangelogRules = ChangelogRules()
    release: ReleaseRules = ReleaseRules()
    lines: Mapping[str, LineRules] = MappingProxyType({})
    tag: GitTagRules = GitTagRules()
    defaults: RawDefaults = RawDefaults()
    environments: Mapping[str, RawEnvironment] = MappingProxyType({})
    groups: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    deploy: DeployRules = DeployRules()
    verify: VerifyRules = VerifyRules()
    evidence: EvidenceRules = EvidenceRules()
    rollout: RolloutRules = RolloutRules()
    runtime: RuntimeTable = RuntimeTable()
    rehearse: RehearseRules = RehearseRules()
    smoke: tuple["SmokeCheck", ...] = ()
    before_deploy: tuple[BeforeDeployRule, ...] = ()
    notify: tuple[NotifyRule, ...] = ()
    docs_checklist: tuple[DocsRule, ...] = ()
    version_files: tuple[VersionFile, ...] = ()


def to_toml(value: Any) -> Any:
    """Return a value of these tables as it is written in TOML; None where a key has no value."""
    if hasattr(value, "_asdict"):
        return to_toml(value._asdict())
    if isinstance(value, Mapping):
        return {name: to_toml(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [to_toml(member) for member in value]
    return write_duration(value) if isinstance(value, float) else value
