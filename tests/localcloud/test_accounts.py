"""Several accounts and regions, as AWS's own clients see them."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.tokens import SSOTokenProvider

from tests.localcloud.iam.tokens import identity_token
from tests.localcloud.samples import RawRegistry
from tests.support.local_cloud import ACCOUNT, REGION, Cloud
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

OTHER_ACCOUNT, OTHER_REGION = "210987654321", "eu-central-1"
ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/deployer"


def assume(cloud: Cloud, account: str = OTHER_ACCOUNT, **request: Any) -> dict[str, Any]:
    role = f"arn:aws:iam::{account}:role/deployer"
    answer: dict[str, Any] = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="ada", **request)
    return answer


def client(cloud: Cloud, service: Any, credentials: dict[str, Any], region: str = OTHER_REGION, **changes: str) -> Any:
    """Return a client with temporary credentials."""
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name=region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=changes.get("secret", credentials["SecretAccessKey"]),
        aws_session_token=changes.get("token", credentials["SessionToken"]),
    )


def test_caller_is_a_user_of_iam(cloud: Cloud) -> None:
    identity = cloud.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/local"
    assert identity["UserId"].startswith("AIDA")


@pytest.mark.parametrize("account", [ACCOUNT, OTHER_ACCOUNT])
def test_account_of_an_assumed_role_counts(cloud: Cloud, account: str) -> None:
    assumed = assume(cloud, account)
    identity = client(cloud, "sts", assumed["Credentials"]).get_caller_identity()
    arn = f"arn:aws:sts::{account}:assumed-role/deployer/ada"
    assert (identity["Account"], identity["Arn"]) == (account, arn)
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    assert client(cloud, "ecr", assumed["Credentials"]).describe_registry()["registryId"] == account


@pytest.mark.parametrize("changes", [{"token": "guess"}, {"secret": "guess"}])
def test_wrong_temporary_credentials_are_refused(cloud: Cloud, changes: dict[str, str]) -> None:
    with pytest.raises(ClientError) as caught:
        client(cloud, "ecr", assume(cloud, ACCOUNT)["Credentials"], **changes).describe_registry()
    assert caught.value.response["Error"]["Code"] in {"UnrecognizedClientException", "InvalidSignatureException"}


def test_constraints_of_the_model_are_checked(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="a b", DurationSeconds=1)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    message = caught.value.response["Error"]["Message"]
    assert message.startswith("2 validation errors detected: ")
    assert "'RoleSessionName'" in message
    assert "'DurationSeconds'" in message


def test_services_secrets_and_repositories_of_accounts_and_regions_are_apart(
    cloud: Cloud, repository: Callable[..., str]
) -> None:
    name, credentials = repository(), assume(cloud)["Credentials"]
    elsewhere = client(cloud, "ecr", credentials)
    created = elsewhere.create_repository(repositoryName=name)["repository"]
    assert created["repositoryArn"] == f"arn:aws:ecr:{OTHER_REGION}:{OTHER_ACCOUNT}:repository/{name}"
    assert created["repositoryUri"].partition("/")[0] != cloud.registry
    client(cloud, "secretsmanager", credentials).create_secret(Name=name, SecretString="x")
    assert name not in {each["Name"] for each in cloud.client("secretsmanager").list_secrets()["SecretList"]}
    assert client(cloud, "ecr", credentials, "us-east-1").describe_repositories()["repositories"] == []
    home_elsewhere = cloud.client("ecr", region=OTHER_REGION).describe_repositories()
    assert name not in {each["repositoryName"] for each in home_elsewhere["repositories"]}
    (cluster,) = client(cloud, "ecs", credentials).list_clusters()["clusterArns"]
    assert cluster == f"arn:aws:ecs:{OTHER_REGION}:{OTHER_ACCOUNT}:cluster/default"


def test_fault_can_be_limited_to_an_account(cloud: Cloud) -> None:
    error = {"error": {"code": "AccessDeniedException", "status": 400}}
    cloud.inject_fault({"service": "ecr", "account": OTHER_ACCOUNT, "region": OTHER_REGION}, error)
    cloud.client("ecr").describe_registry()
    with pytest.raises(ClientError, match="scripted fault"):
        client(cloud, "ecr", assume(cloud)["Credentials"]).describe_registry()


class TestRegistries:
    """A registry for each account and region."""

    @pytest.fixture
    def prod(self, cloud: Cloud) -> Any:
        return client(cloud, "ecr", assume(cloud)["Credentials"], REGION)

    @pytest.fixture
    def prod_registry(self, cloud: Cloud, prod: Any) -> Iterator[RawRegistry]:
        registry = RawRegistry(cloud, ecr=prod)
        yield registry
        registry.connection.close()

    @pytest.fixture
    def shared(self, registry: RawRegistry, prod: Any, repository: Callable[..., str]) -> tuple[str, str]:
        """Return a repository of the home with an image, also one of prod without, and the image's digest."""
        name = repository()
        digest = registry.push(name, "v1", b"layer of both")
        prod.create_repository(repositoryName=name)
        return name, digest

    def test_blobs_of_another_account_are_not_mounted(
        self, cloud: Cloud, prod: Any, prod_registry: RawRegistry, shared: tuple[str, str]
    ) -> None:
        name, _ = shared
        for ecr in (cloud.client("ecr"), prod):
            ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        blob = f"sha256:{hashlib.sha256(b'layer of both').hexdigest()}"
        assert prod_registry.ask("POST", f"/v2/{name}/blobs/uploads/?mount={blob}&from={name}").status == 202
        assert prod_registry.ask("HEAD", f"/v2/{name}/blobs/{blob}").status == 404

    def test_password_is_good_where_a_repository_policy_permits(
        self, cloud: Cloud, prod_registry: RawRegistry, registry: RawRegistry, shared: tuple[str, str]
    ) -> None:
        name, digest = shared
        password = prod_registry.authorization
        for path in (f"/v2/{name}/manifests/v1", "/v2/none/manifests/v1", "/v2/_catalog"):
            answer = registry.ask("GET", path, Authorization=password)
            assert answer.status in (403, 404)
            assert digest not in str(answer.headers)
        actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        pull = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}, "Action": actions}
        cloud.client("ecr").set_repository_policy(repositoryName=name, policyText=json.dumps({"Statement": [pull]}))
        answer = registry.ask("GET", f"/v2/{name}/manifests/v1", Authorization=password)
        assert answer.headers["Docker-Content-Digest"] == digest
        assert registry.ask("POST", f"/v2/{name}/blobs/uploads/", Authorization=password).status == 403

    def test_service_does_not_run_an_image_of_another_registry(
        self, cloud: Cloud, prod_registry: RawRegistry, shared: tuple[str, str]
    ) -> None:
        name, _ = shared
        image = {"ImageIdentifier": f"{prod_registry.host}/{name}:v1", "ImageRepositoryType": "ECR"}
        role = {"AccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecr"}
        source = {"ImageRepository": image, "AuthenticationConfiguration": role}
        with pytest.raises(ClientError, match="can be deployed here"):
            cloud.client("apprunner").create_service(ServiceName="foreign", SourceConfiguration=source)


class TestProfiles:
    """Profiles of a configuration file, as people and CI have them."""

    @pytest.fixture
    def caller(self, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
        """Return a function that returns who a profile is, by its lines."""
        keys = {name: cloud.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        for name in tuple(os.environ):
            if name.startswith("AWS_"):
                monkeypatch.delenv(name)
        for name, value in (cloud.environ | {"HOME": str(tmp_path)}).items():
            if name not in keys:
                monkeypatch.setenv(name, value)
        home = "[home]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in keys.items())
        (tmp_path / "credentials").write_text(home)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

        def find_caller(lines: str) -> str:
            (tmp_path / "config").write_text(f"[profile tested]\nregion = {OTHER_REGION}\n{lines}")
            session = boto3.Session(botocore_session=botocore.session.Session(profile="tested"))
            return str(session.client("sts").get_caller_identity()["Arn"])

        return find_caller

    def test_role_with_a_source_profile(self, cloud: Cloud, caller: Callable[[str], str]) -> None:
        name = "with-external-id"
        condition = {"StringEquals": {"sts:ExternalId": "abc-123"}}
        principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
        iam = client(cloud, "iam", assume(cloud)["Credentials"], "us-east-1")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        role = f"role_arn = arn:aws:iam::{OTHER_ACCOUNT}:role/{name}\nsource_profile = home\n"
        session = "role_session_name = ada@laptop\nexternal_id = "
        assert caller(f"{role}{session}abc-123\n").endswith(f"assumed-role/{name}/ada@laptop")
        with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
            caller(f"{role}{session}guess\n")

    def test_credential_process(self, cloud: Cloud, caller: Callable[[str], str], tmp_path: Path) -> None:
        credentials = assume(cloud)["Credentials"]
        document = {"Version": 1, **{key: str(value) for key, value in credentials.items() if key != "Expiration"}}
        (tmp_path / "document").write_text(json.dumps(document))
        assert caller(f"credential_process = cat {tmp_path}/document\n").endswith("assumed-role/deployer/ada")

    def test_single_sign_on(
        self, cloud: Cloud, caller: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = tmp_path / "cache"
        cache.mkdir()
        monkeypatch.setattr(SSOTokenProvider, "_SSO_TOKEN_CACHE_DIR", str(cache))  # computed when it is imported
        token = {"accessToken": cloud.control_token, "expiresAt": "2099-01-01T00:00:00Z", "region": REGION}
        (cache / f"{hashlib.sha1(b'corp').hexdigest()}.json").write_text(json.dumps(token))
        sso = f"sso_session = corp\nsso_account_id = {OTHER_ACCOUNT}\nsso_role_name = Deployer\n"
        start = f"[sso-session corp]\nsso_region = {REGION}\nsso_start_url = https://corp.example/start\n"
        assert f"::{OTHER_ACCOUNT}:assumed-role/AWSReservedSSO_Deployer_" in caller(sso + start)

    def test_job_of_ci(self, cloud: Cloud, caller: Callable[[str], str], tmp_path: Path) -> None:
        (tmp_path / "token").write_text(identity_token(cloud.control_token))
        role = f"role_arn = {ROLE}\nrole_session_name = job\nweb_identity_token_file = {tmp_path}/token\n"
        assert caller(role) == f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/deployer/job"


def test_accounts_survive_a_restart_and_credentials_expire(tmp_path: Path) -> None:
    with Cloud(tmp_path / "state") as cloud:
        credentials = assume(cloud)["Credentials"]
        created = client(cloud, "ecr", credentials).create_repository(repositoryName="web")["repository"]
        client(cloud, "secretsmanager", credentials).create_secret(Name="app", SecretString="x")
        iam = client(cloud, "iam", credentials, "us-east-1")
        role_id = iam.create_role(RoleName="release", AssumeRolePolicyDocument='{"Statement": []}')["Role"]["RoleId"]
        cloud.stop()
        cloud.start()
        repositories = client(cloud, "ecr", credentials).describe_repositories()["repositories"]
        assert [each["repositoryUri"] for each in repositories] == [created["repositoryUri"]]
        assert client(cloud, "secretsmanager", credentials).get_secret_value(SecretId="app")["SecretString"] == "x"
        assert client(cloud, "iam", credentials, "us-east-1").get_role(RoleName="release")["Role"]["RoleId"] == role_id
        with pytest.raises(ClientError, match="is not authorized"):
            cloud.client("sts").assume_role(RoleArn=f"{ROLE.rpartition('/')[0]}/release", RoleSessionName="ada")
        assert {each["account"] for each in cloud.requests} == {ACCOUNT, OTHER_ACCOUNT}
    with Cloud(tmp_path / "state", "--clock-speed", "100000") as hasty:

        def refusal() -> str:
            try:
                client(hasty, "ecr", credentials).describe_registry()
            except ClientError as error:
                return str(error.response["Error"]["Code"])
            return ""

        wait_for(lambda: refusal() == "ExpiredTokenException")  # in an hour, which is 36 milliseconds
