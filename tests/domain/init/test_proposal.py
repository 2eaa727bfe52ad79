"""From findings to a proposed configuration that is valid."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.config import load, validate
from kaizen_tasks.domain.init import notes, render_toml
from kaizen_tasks.domain.init.detect import from_account
from kaizen_tasks.domain.init.detect.from_account import AccountScan, ServiceSummary
from kaizen_tasks.domain.init.evidence import combine_facts
from kaizen_tasks.domain.init.pipeline import infer_pipeline
from kaizen_tasks.domain.init.proposal import Proposal, ScanResult, UserAnswers, detect_environments, propose_config
from kaizen_tasks.domain.init.repo_scan import GitRepository, RepoScan
from kaizen_tasks.errors import Refused
from tests.domain.init.detect.test_terraform_ecs import SERVICE as ECS_TERRAFORM
from tests.domain.init.detect.test_terraform_ecs import VARIABLES as ECS_VARIABLES
from tests.domain.init.samples import APP, TERRAFORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.config.settings import Settings

BEFORE = RepoScan(
    name="work",
    texts=APP,
    version_endpoint_files=("app.py",),
    repository=GitRepository(branch="fix", branches=("main",)),
)


def evidence(texts: Mapping[str, str], *, region: str = "") -> ScanResult:
    """Return the findings in a folder with these files."""
    repo_scan = evolve(BEFORE, texts=texts, region=region)
    return ScanResult(repo_scan=repo_scan, facts=detect_environments(repo_scan))


def configured(proposal: Proposal) -> Settings:
    """Return the settings of the file that would be written."""
    raw = tomllib.loads(render_toml.render_config(proposal))
    return validate.build_settings(load.ConfigFile(Path("/app"), "kaizen.toml", raw), load.with_defaults(raw))


def test_script_and_terraform_show_everything() -> None:
    """Nothing is a guess."""
    proposal = propose_config(evidence({**APP, **TERRAFORM}), UserAnswers())
    settings = configured(proposal)

    assert settings.app == "kaizencoach"
    assert settings.pipeline == ("staging", "prod", "beta")
    assert settings.groups == {"beta": ("mark", "shane", "dom")}
    assert (settings.aws.region, settings.aws.account) == ("eu-west-1", "123456789012")
    assert settings.build.version_arg == "VERSION"
    assert settings.release.branches == ("main",)
    prod, dom = settings.environments["prod"], settings.environments["dom"]
    assert (prod.repository, prod.service) == ("my-personal-coach-app", "my-personal-coach-service")
    assert (prod.url, prod.protected) == ("https://www.kaizencoach.training", True)
    assert (dom.repository, dom.service) == ("dom-kaizencoach-app", "dom-kaizencoach-service")
    assert (dom.url, dom.protected) == ("https://dom.kaizencoach.training", False)
    assert proposal.guessed_keys == ()


def test_names_that_no_source_shows_are_marked_as_guesses() -> None:
    """A service is named after its repository; an unknown URL is left to the platform."""
    scan = evidence({**APP, "docs/deploy.md": "curl https://staging.kaizencoach.training/version\n"})
    proposal = propose_config(scan, UserAnswers())
    settings = configured(proposal)

    assert settings.environments["prod"].service == "my-personal-coach-service"
    assert settings.environments["staging"].url == "https://staging.kaizencoach.training"
    assert settings.environments["mark"].url == ""
    (note,) = notes.guess_notes(proposal, None)
    assert "services" in note.text
    assert "repositories" not in note.text
    assert 'service = "my-personal-coach-service"    # a guess' in render_toml.render_config(proposal)


def test_without_findings_two_environments_in_the_users_region_are_proposed() -> None:
    """Both are marked as guesses where they are."""
    proposal = propose_config(evidence({"Dockerfile": "FROM a\n"}, region="eu-central-1"), UserAnswers())
    settings = configured(proposal)

    assert settings.app == "work"
    assert settings.pipeline == ("staging", "prod")
    assert settings.aws.region == "eu-central-1"
    assert settings.environments["prod"].protected
    assert "environments" in proposal.guessed_keys
    assert "region" not in proposal.guessed_keys


def test_without_any_platform_the_one_that_aws_recommends_is_a_guess() -> None:
    proposal = propose_config(evidence({"Dockerfile": "FROM a\n"}), UserAnswers())

    assert {each.platform for each in configured(proposal).environments.values()} == {"ecs-express"}
    assert 'platform = "ecs-express"                 # a guess' in render_toml.render_config(proposal)
    assert "the platform" in next(notes.guess_notes(proposal, None)).text


def test_services_of_ecs_in_two_accounts_are_configured() -> None:
    """Nothing is said of tags that move; the first environment's account is that of `[aws]`."""
    proposal = propose_config(
        evidence({"Dockerfile": "FROM a\n", "m.tf": ECS_TERRAFORM, **ECS_VARIABLES}), UserAnswers()
    )
    settings, text = configured(proposal), render_toml.render_config(proposal)

    staging, prod = settings.environments["staging"], settings.environments["prod"]
    assert (staging.platform, staging.service, staging.cluster, staging.container) == (
        "ecs",
        "web",
        "shop-staging",
        "web",
    )
    assert (prod.url, prod.cluster, prod.repository) == ("https://prod.shop.example", "shop-prod", "shop")
    assert (settings.aws.account, settings.aws.region) == ("432143214321", "eu-west-1")
    assert (prod.target.account, prod.target.region) == ("567856785678", "eu-central-1")
    assert prod.target.role == "arn:aws:iam::567856785678:role/deploy"
    assert settings.build.platform == "linux/arm64"
    assert "follow" not in text
    assert proposal.guessed_keys == ()


def test_an_account_without_a_role_is_a_comment() -> None:
    """With the account alone, no credentials would be accepted."""
    terraform = ECS_TERRAFORM.replace('assume_role { role_arn = "arn:aws:iam::${var.account_id}:role/deploy" }', "")
    proposal = propose_config(evidence({"Dockerfile": "FROM a\n", "m.tf": terraform, **ECS_VARIABLES}), UserAnswers())

    assert configured(proposal).environments["prod"].target.account == "432143214321"
    assert '# account = "567856785678"  of m.tf:2; add it with role or profile' in render_toml.render_config(proposal)


def test_ecs_without_an_address_gets_one_that_no_server_has() -> None:
    files = {"Dockerfile": "FROM a\n", "deploy.sh": "aws ecs update-service --service shop-web --cluster shop\n"}
    proposal = propose_config(evidence(files), UserAnswers(app="shop"))

    assert configured(proposal).environments["prod"].url == "https://prod.shop.invalid"
    (note,) = notes.address_notes(proposal)
    assert note.text == "ECS gives a service no address: set the url of prod (now https://prod.shop.invalid) to its own"
    two = propose_config(evidence(files), UserAnswers(app="shop", environments=("staging", "prod")))
    (note,) = notes.address_notes(two)
    assert "staging, prod (now https://staging.shop.invalid, https://prod.shop.invalid)" in note.text
    told = propose_config(evidence(files), UserAnswers(app="shop", urls={"prod": "https://shop.example"}))
    assert not [*notes.address_notes(told)]


def test_a_guessed_name_fits_the_platform() -> None:
    texts = {"Dockerfile": "FROM a\n", "README.md": "Runs on App Runner.\n"}
    proposal = propose_config(evidence(texts), UserAnswers(app="a-name-that-is-longer-than-most-names-are"))
    assert max(len(each.service) for each in configured(proposal).environments.values()) == 40


def test_without_dockerfile_and_environments_only_releases_are_configured() -> None:
    proposal = propose_config(evidence({}), UserAnswers())

    assert configured(proposal).environments == {}
    assert "no environment: this configuration releases only" in next(notes.image_notes(proposal)).text


def test_answers_precede_findings() -> None:
    answers = UserAnswers(app="web", region="us-east-1", account="210987654321", environments=("staging", "eu"))
    settings = configured(propose_config(evidence({**APP, **TERRAFORM}), answers))

    assert settings.app == "web"
    assert settings.pipeline == ("staging", "eu")
    assert (settings.aws.region, settings.aws.account) == ("us-east-1", "210987654321")


def test_sources_that_disagree_are_noted() -> None:
    """The script, which runs at each release, precedes Terraform, whose names may be defaults."""
    script = APP["scripts/deploy.sh"].replace("mark-kaizencoach-app", "marks-app")
    scan = evidence({**APP, **TERRAFORM, "scripts/deploy.sh": script})
    proposal = propose_config(scan, UserAnswers())

    (note,) = notes.conflict_notes(proposal)
    expected = "mark: repository is mark-kaizencoach-app in infra/app.tf:2; using marks-app of scripts/deploy.sh:10"
    assert note.text == expected


@pytest.mark.parametrize(
    ("environments", "groups", "pipeline"),
    [
        (("production", "dev", "qa", "staging"), {}, ("dev", "qa", "staging", "production")),
        (("prod", "mark", "staging", "dom"), {}, ("staging", "prod", "tenants")),
        (("prod", "eu"), {}, ("prod", "eu")),
        (("staging", "mark", "dom"), {"all": ("staging", "mark"), "beta": ("mark", "dom")}, ("staging", "beta")),
        (("staging", "a", "b", "c"), {"x": ("a", "b"), "y": ("b", "c")}, ("staging", "x")),
    ],
)
def test_stages_are_ordered_by_conventional_names_with_tenants_last(
    environments: tuple[str, ...], groups: dict[str, tuple[str, ...]], pipeline: tuple[str, ...]
) -> None:
    """A group that contains other stages is ignored."""
    assert infer_pipeline(environments, groups).stages == pipeline


SERVICES = (
    ServiceSummary(name="my-personal-coach-service", repository="my-personal-coach-app", environment="prod"),
    ServiceSummary(name="staging-kaizencoach-service", repository="staging-kaizencoach-app", environment=""),
    ServiceSummary(name="zoe-kaizencoach-service", repository="zoe-kaizencoach-app", environment="zoe"),
    ServiceSummary(name="blog", repository="blog", environment="prod"),
    ServiceSummary(name="kaizencoach-from-source", repository="", environment="odd"),
)
ACCOUNT = AccountScan(
    account_id="210987654321",
    region="eu-west-1",
    services=SERVICES,
    repositories=("my-personal-coach-app", "staging-kaizencoach-app"),
)


def test_services_of_an_account_are_found_by_the_apps_name_or_by_its_files() -> None:
    """Others belong to other apps; a service built from source cannot be promoted."""
    seen = detect_environments(BEFORE).environment_facts

    facts = from_account.facts_from_account(ACCOUNT, ("kaizencoach",), seen)

    assert {fact.environment: fact.service for fact in facts.environment_facts} == {
        "prod": "my-personal-coach-service",
        "staging": "staging-kaizencoach-service",
        "zoe": "zoe-kaizencoach-service",
    }


def test_an_account_without_a_service_of_the_app_is_refused() -> None:
    """The error lists the services that exist."""
    with pytest.raises(Refused, match=r"no service in account .* blog"):
        from_account.facts_from_account(ACCOUNT, ("web",), ())


def test_what_an_account_lacks_is_said_instead_of_guessed() -> None:
    """It knows; a proposal from files alone only hopes."""
    traces = combine_facts(
        (from_account.facts_from_account(ACCOUNT, ("kaizencoach",), ()), detect_environments(BEFORE))
    )
    proposal = propose_config(
        ScanResult(repo_scan=BEFORE, facts=traces, account_scan=ACCOUNT), UserAnswers(account=ACCOUNT.account_id)
    )

    lines = [note.text for note in notes.guess_notes(proposal, ACCOUNT)]
    assert "mark: the account has no service mark-kaizencoach-service" in lines
    assert not any(line.startswith(("prod", "staging")) for line in lines)
    assert configured(proposal).aws.account == "210987654321"


def _account(*services: ServiceSummary) -> ScanResult:
    scan = AccountScan(account_id="123456789012", region="eu-west-1", services=services, repositories=("shop",))
    return ScanResult(repo_scan=BEFORE, facts=from_account.facts_from_account(scan, ["shop"], ()), account_scan=scan)


def _shared_service(name: str, tag: str, environment: str = "") -> ServiceSummary:
    return ServiceSummary(name=name, repository="shop", environment=environment, tag=tag)


def test_environments_of_one_repository_follow_the_tags_of_their_services() -> None:
    found = _account(_shared_service("shop-dev", "dev"), _shared_service("shop-prod", "prod"))

    proposal = propose_config(found, UserAnswers(app="shop"))

    assert {each.followed_image for each in configured(proposal).environments.values()} == {"shop:dev", "shop:prod"}
    assert not [*notes.shared_repository_notes(proposal)]
    assert 'follow = "{env}"' in render_toml.render_config(proposal)


def test_environments_of_one_repository_that_follow_one_tag_get_a_tag_each_as_a_guess() -> None:
    """They cannot share it as they are: the services have to be changed."""
    found = _account(_shared_service("web-a", "latest", "staging"), _shared_service("web-b", "latest", "prod"))

    proposal = propose_config(found, UserAnswers(app="shop"))

    assert {each.followed_image for each in configured(proposal).environments.values()} == {"shop:staging", "shop:prod"}
    assert {"staging.follow", "prod.follow"} <= {*proposal.guessed_keys}
    (note,) = notes.shared_repository_notes(proposal)
    assert note.text.endswith("make each service follow its own: web-a :staging, web-b :prod")


def test_tag_latest_is_not_written() -> None:
    assert "follow" not in render_toml.render_config(propose_config(evidence({**APP, **TERRAFORM}), UserAnswers()))


def test_own_repository_with_another_tag_keeps_it() -> None:
    services = [
        ServiceSummary(name=f"{name}-shop-service", repository=f"{name}-shop-app", environment=name, tag="stable")
        for name in ("staging", "prod")
    ]

    proposal = propose_config(_account(*services), UserAnswers(app="shop"))

    assert {each.follow for each in configured(proposal).environments.values()} == {"stable"}


def test_fragments_are_configured_as_they_are_named() -> None:
    texts = {**APP, "changelog.d/12.bugfix.md": "A crash\n"}
    settings = configured(propose_config(evidence(texts), UserAnswers()))
    assert settings.changelog.fragments == "changelog.d"
    assert settings.changelog.types == {"bugfix": "Fixed"}


@pytest.mark.parametrize(
    ("version", "paths"),
    [("", ["pyproject.toml"]), ("1.2.3\n", ["pyproject.toml"]), ("1.0.0\n", ["package.json", "package-lock.json"])],
)
def test_files_that_repeat_the_version_are_configured(version: str, paths: list[str]) -> None:
    """Those that disagree would refuse every release."""
    packages = {"pyproject.toml": '[project]\nversion = "1.2.3"\n', "package.json": '{"version": "1.0.0"}'}
    packages["package-lock.json"] = packages["package.json"]
    texts = {**APP, **packages, "VERSION": version}
    settings = configured(propose_config(evidence(texts), UserAnswers()))
    assert [rule.path for rule in settings.version_files] == paths


def test_a_source_that_repeats_the_version_is_configured_by_its_text() -> None:
    """Without it, the package would say the version before."""
    files = {"src/acme/__init__.py": '__version__ = "1.2.3"\n'}
    repo_scan = evolve(BEFORE, texts={"pyproject.toml": '[project]\nversion = "1.2.3"\n'}, package_files=files)
    proposal = propose_config(ScanResult(repo_scan=repo_scan, facts=detect_environments(repo_scan)), UserAnswers())

    rules = [(rule.path, rule.key, rule.pattern) for rule in configured(proposal).version_files]
    assert rules == [
        ("pyproject.toml", "project.version", ""),
        ("src/acme/__init__.py", "", '__version__ = "{version}"'),
    ]


@pytest.mark.parametrize(
    ("package", "remote", "subfolder", "app"),
    [
        ("acme_lib", "git@git.example:acme/lib2.git", "", "acme-lib"),
        ("@acme/web", "https://git.example/acme/shop.git", "", "web"),
        ("app", "https://git.example/acme/shop.git", "", "shop"),
        ("", "https://git.example/acme/shop.git", "", "shop"),
        ("", "https://git.example/acme/shop.git", "apps/work", "work"),
        ("", "../remote.git", "", "work"),
    ],
)
def test_an_app_is_named_after_its_package_or_repository_or_folder(
    package: str, remote: str, subfolder: str, app: str
) -> None:
    texts = {"package.json": f'{{"name": "{package}"}}'} if package else {}
    repository = GitRepository(branch="main", remotes={"origin": remote})
    repo_scan = evolve(BEFORE, texts=texts, subfolder=subfolder, repository=repository)
    proposal = propose_config(ScanResult(repo_scan=repo_scan, facts=detect_environments(repo_scan)), UserAnswers())

    assert proposal.app == app


def test_the_only_service_of_an_account_is_not_split_into_app_and_environment() -> None:
    proposal = propose_config(_account(_shared_service("shop-web", "latest")), UserAnswers(app="shop"))
    (environment,) = configured(proposal).environments.values()

    assert (environment.name, environment.service, environment.repository) == ("prod", "shop-web", "shop")
    assert "environments" in proposal.guessed_keys


def test_the_account_precedes_scripts_and_those_precede_defaults_of_terraform() -> None:
    script = 'case "$1" in\n  prod) REPO=legacy-shop ;;\n  staging) REPO=staging-shop ;;\nesac\ndocker push\n'
    terraform = (
        'variable "name" { default = "shop" }\nvariable "environment" {}\n'
        'resource "aws_ecr_repository" "app" { name = "${var.environment}-${var.name}" }\n'
        'resource "aws_apprunner_service" "app" { service_name = "${var.environment}-${var.name}" }\n'
    )
    files = evidence({"Dockerfile": "FROM x\n", "deploy.sh": script, "infra/main.tf": terraform})
    scan = AccountScan(
        account_id="210987654321",
        region="eu-west-1",
        services=(ServiceSummary(name="prod-shop", repository="shop-live", environment="prod", tag="latest"),),
        repositories=("shop-live",),
    )
    from_files = configured(propose_config(files, UserAnswers())).environments
    account = from_account.facts_from_account(scan, ["shop"], ())
    found = ScanResult(repo_scan=files.repo_scan, facts=combine_facts((account, files.facts)), account_scan=scan)
    from_all = configured(propose_config(found, UserAnswers())).environments

    assert (from_files["prod"].repository, from_files["prod"].service) == ("legacy-shop", "prod-shop")
    assert (from_all["prod"].repository, from_all["staging"].repository) == ("shop-live", "staging-shop")


def test_values_of_an_old_script_are_guesses() -> None:
    script = (
        "aws ecr get-login\nREPO=shop\naws apprunner start-deployment --service-arn a:apprunner:r:a:service/shop/1\n"
    )
    proposal = propose_config(evidence({"Dockerfile": "FROM x\n", "old/deploy.sh": script}), UserAnswers())

    assert "prod.repository" in proposal.guessed_keys
    assert 'repository = "shop"                      # a guess' in render_toml.render_config(proposal)
