"""Amazon ECR's control plane: repositories, account settings and the registry's password."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, ClassVar

import attrs

from kaizen_tasks.localcloud.ecr.errors import as_ecr_refuses, page, refusal
from kaizen_tasks.localcloud.ecr.images import Images
from kaizen_tasks.localcloud.ecr.layers import Layers
from kaizen_tasks.localcloud.registry.repositories import Repository
from kaizen_tasks.localcloud.registry.store import BLOB_MOUNTING
from kaizen_tasks.localcloud.server.auth import REGISTRY_SECONDS
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.auth import Tokens
    from kaizen_tasks.localcloud.server.http_message import Document

_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    "REGISTRY_POLICY_SCOPE": ("V1", "V2"),
    BLOB_MOUNTING: ("ENABLED", "DISABLED"),
}
_WITH_EXCLUSION = "_WITH_EXCLUSION"


class Ecr(Images, Layers):
    """ECR of one account in one region.

    Args:
        store: what the registry keeps.
        tokens: issues the registry's passwords.
        account: twelve digits.
        region: for example `eu-west-1`.
        registry: where the registry is, as `127.0.0.1:5000`; docker speaks plain HTTP to that network.
    """

    name: ClassVar[str] = "ecr"

    def __init__(self, *, store: ImageStore, tokens: Tokens, account: str, region: str, registry: str) -> None:
        self.store = store
        self.tokens = tokens
        self.account = account
        self.region = region
        self.registry = registry

    def create_repository(self, request: Document) -> Document:
        """Create a repository."""
        filters = _exclusions(request)
        repository = Repository(
            name=request["repositoryName"],
            created_at=round(time.time(), 3),
            mutability=request.get("imageTagMutability", "MUTABLE"),
            exclusions=filters,
            scan_on_push=request.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            encryption=request.get("encryptionConfiguration") or {"encryptionType": "AES256"},
            labels=_labels(request.get("tags", [])),
        )
        with as_ecr_refuses(self.account):
            self.store.create(repository)
        return {"repository": self._describe(repository)}

    def describe_repositories(self, request: Document) -> Document:
        """Describe repositories, all of them in pages or the named ones."""
        self.check_account(request)
        if names := request.get("repositoryNames"):
            if "nextToken" in request or "maxResults" in request:
                raise refusal("repositoryNames", "must not be given together with nextToken or maxResults")
            return {"repositories": [self._describe(self.find(name)) for name in names]}
        chosen, token = page(self.store.repositories(), request, key=lambda repository: repository.name)
        return {"repositories": [self._describe(repository) for repository in chosen], "nextToken": token}

    def delete_repository(self, request: Document) -> Document:
        """Delete a repository; one with images only by force."""
        repository = self.named(request)
        if repository.images and not request.get("force"):
            raise ServiceError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{self.account}' "
                "cannot be deleted because it still contains images",
            )
        with as_ecr_refuses(self.account):
            return {"repository": self._describe(self.store.delete(repository.name))}

    def put_image_tag_mutability(self, request: Document) -> Document:
        """Say which tags may move."""
        repository = self.named(request)
        exclusions, mutability = _exclusions(request), request["imageTagMutability"]
        changed = self.store.change(
            repository.name, lambda now: attrs.evolve(now, mutability=mutability, exclusions=exclusions)
        )
        return {
            "registryId": self.account,
            "repositoryName": changed.name,
            "imageTagMutability": changed.mutability,
            "imageTagMutabilityExclusionFilters": _filters(changed),
        }

    def describe_registry(self, _request: Document) -> Document:
        """Describe the registry."""
        return {"registryId": self.account, "replicationConfiguration": {"rules": []}}

    def get_authorization_token(self, _request: Document) -> Document:
        """Issue a password for the registry."""
        expires = time.time() + REGISTRY_SECONDS
        credentials = base64.b64encode(f"AWS:{self.tokens.issue()}".encode()).decode()
        endpoint = f"http://{self.registry}"
        data = {"authorizationToken": credentials, "expiresAt": round(expires, 3), "proxyEndpoint": endpoint}
        return {"authorizationData": [data]}

    def get_account_setting(self, request: Document) -> Document:
        """Return an account setting."""
        name = request["name"]
        _check_setting(name)
        return {"name": name, "value": self.store.setting(name)}

    def put_account_setting(self, request: Document) -> Document:
        """Change an account setting."""
        name, value = request["name"], request["value"]
        _check_setting(name)
        if value not in _SETTINGS[name]:
            raise refusal("value", f"must be one of {', '.join(_SETTINGS[name])}")
        self.store.set(name, value)
        return {"name": name, "value": value}

    def list_tags_for_resource(self, request: Document) -> Document:
        """List a repository's resource tags."""
        labels = self._by_arn(request).labels
        return {"tags": [{"Key": key, "Value": value} for key, value in sorted(labels.items())]}

    def tag_resource(self, request: Document) -> Document:
        """Add resource tags to a repository."""
        labels = _labels(request["tags"])
        self.store.change(self._by_arn(request).name, lambda now: attrs.evolve(now, labels=now.labels | labels))
        return {}

    def untag_resource(self, request: Document) -> Document:
        """Remove resource tags from a repository."""
        keys = request["tagKeys"]
        self.store.change(self._by_arn(request).name, lambda now: now.without_labels(keys))
        return {}

    def put_lifecycle_policy(self, request: Document) -> Document:
        """Keep a lifecycle policy; it is never carried out."""
        policy = request["lifecyclePolicyText"]
        name = self.named(request).name
        return self._policy(self.store.change(name, lambda now: attrs.evolve(now, lifecycle=policy)))

    def get_lifecycle_policy(self, request: Document) -> Document:
        """Return the lifecycle policy."""
        return self._policy(self._with_policy(request))

    def delete_lifecycle_policy(self, request: Document) -> Document:
        """Remove the lifecycle policy and return it."""
        repository = self._with_policy(request)
        self.store.change(repository.name, lambda now: attrs.evolve(now, lifecycle=""))
        return self._policy(repository)

    def _policy(self, repository: Repository) -> Document:
        return {
            "registryId": self.account,
            "repositoryName": repository.name,
            "lifecyclePolicyText": repository.lifecycle,
        }

    def _with_policy(self, request: Document) -> Repository:
        repository = self.named(request)
        if not repository.lifecycle:
            raise ServiceError(
                "LifecyclePolicyNotFoundException",
                f"Lifecycle policy does not exist for the repository with name '{repository.name}' "
                f"in the registry with id '{self.account}'",
            )
        return repository

    def _by_arn(self, request: Document) -> Repository:
        prefix, _, name = request["resourceArn"].partition(":repository/")
        if prefix != f"arn:aws:ecr:{self.region}:{self.account}":
            raise refusal("resourceArn", "is not the ARN of a repository in this registry")
        return self.find(name)

    def _describe(self, repository: Repository) -> Document:
        return {
            "repositoryArn": f"arn:aws:ecr:{self.region}:{self.account}:repository/{repository.name}",
            "registryId": self.account,
            "repositoryName": repository.name,
            "repositoryUri": f"{self.registry}/{repository.name}",
            "createdAt": repository.created_at,
            "imageTagMutability": repository.mutability,
            "imageTagMutabilityExclusionFilters": _filters(repository),
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
            "encryptionConfiguration": repository.encryption,
        }


def _exclusions(request: Document) -> tuple[str, ...]:
    filters = tuple(item["filter"] for item in request.get("imageTagMutabilityExclusionFilters", []))
    excludes = request.get("imageTagMutability", "MUTABLE").endswith(_WITH_EXCLUSION)
    if excludes != bool(filters):
        raise refusal(
            "imageTagMutabilityExclusionFilters", "are needed with, and only with, a mutability that excludes"
        )
    return filters


def _filters(repository: Repository) -> list[dict[str, str]] | None:
    return [{"filterType": "WILDCARD", "filter": pattern} for pattern in repository.exclusions] or None


def _labels(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _check_setting(name: str) -> None:
    if name not in _SETTINGS:
        raise refusal("name", f"must be one of {', '.join(_SETTINGS)}")
