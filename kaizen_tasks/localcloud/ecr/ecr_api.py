"""Amazon ECR's API: repositories, account settings and registry passwords."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, ClassVar

import attrs

from kaizen_tasks.localcloud.ecr.ecr_errors import ecr_errors, paginate, validation_error
from kaizen_tasks.localcloud.ecr.layers import EcrLayers
from kaizen_tasks.localcloud.ecr.policies import EcrPolicies
from kaizen_tasks.localcloud.ecr.scanning import EcrScanning
from kaizen_tasks.localcloud.registry.repositories import ImageRepository
from kaizen_tasks.localcloud.registry.store import BLOB_MOUNTING
from kaizen_tasks.localcloud.server.auth import REGISTRY_TOKEN_SECONDS
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.store import ImageStore
    from kaizen_tasks.localcloud.server.auth import Tokens
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_ACCOUNT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    "REGISTRY_POLICY_SCOPE": ("V1", "V2"),
    BLOB_MOUNTING: ("ENABLED", "DISABLED"),
}
_WITH_EXCLUSION = "_WITH_EXCLUSION"


class Ecr(EcrScanning, EcrLayers, EcrPolicies):
    """ECR of one account in one region.

    Args:
        store: the registry's content.
        tokens: issues passwords.
        account: the account number.
        region: the region.
        registry: host and port of the registry; for 127.0.0.0/8, docker uses plain HTTP.
    """

    name: ClassVar[str] = "ecr"

    def __init__(self, *, store: ImageStore, tokens: Tokens, account: str, region: str, registry: str) -> None:
        self.store = store
        self.tokens = tokens
        self.account = account
        self.region = region
        self.registry = registry

    def create_repository(self, request: JsonObject) -> JsonObject:
        """Create a repository."""
        filters = _exclusion_filters(request)
        repository = ImageRepository(
            name=request["repositoryName"],
            created_at=round(time.time(), 3),
            mutability=request.get("imageTagMutability", "MUTABLE"),
            exclusions=filters,
            scan_on_push=request.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            encryption=request.get("encryptionConfiguration") or {"encryptionType": "AES256"},
            labels=_labels(request.get("tags", [])),
        )
        with ecr_errors(self.account):
            self.store.create_repository(repository)
        return {"repository": self._describe(repository)}

    def describe_repositories(self, request: JsonObject) -> JsonObject:
        """Describe the named repositories, or one page of all."""
        self.check_account(request)
        if names := request.get("repositoryNames"):
            if "nextToken" in request or "maxResults" in request:
                raise validation_error("repositoryNames", "must not be given together with nextToken or maxResults")
            return {"repositories": [self._describe(self.get_repository(name)) for name in names]}
        repositories, token = paginate(self.store.repositories(), request, key=lambda repository: repository.name)
        return {"repositories": [self._describe(repository) for repository in repositories], "nextToken": token}

    def delete_repository(self, request: JsonObject) -> JsonObject:
        """Delete a repository; with `force` also one with images."""
        repository = self.requested_repository(request)
        if repository.images and not request.get("force"):
            raise ServiceError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{self.account}' "
                "cannot be deleted because it still contains images",
            )
        with ecr_errors(self.account):
            return {"repository": self._describe(self.store.delete_repository(repository.name))}

    def put_image_tag_mutability(self, request: JsonObject) -> JsonObject:
        """Set which tags may be moved."""
        repository = self.requested_repository(request)
        exclusions, mutability = _exclusion_filters(request), request["imageTagMutability"]
        updated_repository = self.store.update_repository(
            repository.name, lambda current: attrs.evolve(current, mutability=mutability, exclusions=exclusions)
        )
        return self.identify(updated_repository) | {
            "imageTagMutability": updated_repository.mutability,
            "imageTagMutabilityExclusionFilters": _filter_documents(updated_repository),
        }

    def describe_registry(self, _request: JsonObject) -> JsonObject:
        """Describe the registry."""
        return {"registryId": self.account, "replicationConfiguration": {"rules": []}}

    def get_authorization_token(self, _request: JsonObject) -> JsonObject:
        """Issue a password for the registry."""
        authorization_data = {
            "authorizationToken": base64.b64encode(f"AWS:{self.tokens.issue()}".encode()).decode(),
            "expiresAt": round(time.time() + REGISTRY_TOKEN_SECONDS, 3),
            "proxyEndpoint": f"http://{self.registry}",
        }
        return {"authorizationData": [authorization_data]}

    def get_account_setting(self, request: JsonObject) -> JsonObject:
        """Return an account setting."""
        name = request["name"]
        _check_setting(name)
        return {"name": name, "value": self.store.get_setting(name)}

    def put_account_setting(self, request: JsonObject) -> JsonObject:
        """Change an account setting."""
        name, value = request["name"], request["value"]
        _check_setting(name)
        if value not in _ACCOUNT_SETTINGS[name]:
            raise validation_error("value", f"must be one of {', '.join(_ACCOUNT_SETTINGS[name])}")
        self.store.put_setting(name, value)
        return {"name": name, "value": value}

    def list_tags_for_resource(self, request: JsonObject) -> JsonObject:
        """List a repository's resource tags."""
        labels = self._get_repository_by_arn(request).labels
        return {"tags": [{"Key": key, "Value": value} for key, value in sorted(labels.items())]}

    def tag_resource(self, request: JsonObject) -> JsonObject:
        """Add resource tags to a repository."""
        labels = _labels(request["tags"])
        self.store.update_repository(
            self._get_repository_by_arn(request).name,
            lambda current: attrs.evolve(current, labels=current.labels | labels),
        )
        return {}

    def untag_resource(self, request: JsonObject) -> JsonObject:
        """Remove resource tags from a repository."""
        keys = request["tagKeys"]
        self.store.update_repository(
            self._get_repository_by_arn(request).name, lambda current: current.without_labels(keys)
        )
        return {}

    def _get_repository_by_arn(self, request: JsonObject) -> ImageRepository:
        prefix, _, name = request["resourceArn"].partition(":repository/")
        if prefix != f"arn:aws:ecr:{self.region}:{self.account}":
            raise validation_error("resourceArn", "is not the ARN of a repository in this registry")
        return self.get_repository(name)

    def _describe(self, repository: ImageRepository) -> JsonObject:
        return self.identify(repository) | {
            "repositoryArn": f"arn:aws:ecr:{self.region}:{self.account}:repository/{repository.name}",
            "repositoryUri": f"{self.registry}/{repository.name}",
            "createdAt": repository.created_at,
            "imageTagMutability": repository.mutability,
            "imageTagMutabilityExclusionFilters": _filter_documents(repository),
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
            "encryptionConfiguration": repository.encryption,
        }


def _exclusion_filters(request: JsonObject) -> tuple[str, ...]:
    filters = tuple(item["filter"] for item in request.get("imageTagMutabilityExclusionFilters", []))
    has_exclusions = request.get("imageTagMutability", "MUTABLE").endswith(_WITH_EXCLUSION)
    if has_exclusions != bool(filters):
        raise validation_error(
            "imageTagMutabilityExclusionFilters", "are needed with, and only with, a mutability that excludes"
        )
    return filters


def _filter_documents(repository: ImageRepository) -> list[dict[str, str]] | None:
    return [{"filterType": "WILDCARD", "filter": pattern} for pattern in repository.exclusions] or None


def _labels(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _check_setting(name: str) -> None:
    if name not in _ACCOUNT_SETTINGS:
        raise validation_error("name", f"must be one of {', '.join(_ACCOUNT_SETTINGS)}")
