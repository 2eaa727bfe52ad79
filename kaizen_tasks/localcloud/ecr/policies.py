"""ECR's lifecycle policies and repository policies, which are stored and described but have no effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecr.ecr_errors import EcrBase, validation_error
from kaizen_tasks.localcloud.ecr.lifecycle_policy import check_lifecycle_policy
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.registry.repositories import ImageRepository
    from kaizen_tasks.localcloud.server.http_message import JsonObject


class EcrPolicies(EcrBase):
    """Put, get and delete policies."""

    def put_lifecycle_policy(self, request: JsonObject) -> JsonObject:
        """Store a lifecycle policy, which is never executed."""
        policy, name = request["lifecyclePolicyText"], self.requested_repository(request).name
        check_lifecycle_policy(policy)
        updated = self.store.update_repository(name, lambda current: attrs.evolve(current, lifecycle=policy))
        return self._lifecycle_document(updated)

    def get_lifecycle_policy(self, request: JsonObject) -> JsonObject:
        """Return the lifecycle policy."""
        return self._lifecycle_document(self._require_lifecycle(request))

    def delete_lifecycle_policy(self, request: JsonObject) -> JsonObject:
        """Remove the lifecycle policy and return it."""
        repository = self._require_lifecycle(request)
        self.store.update_repository(repository.name, lambda current: attrs.evolve(current, lifecycle=""))
        return self._lifecycle_document(repository)

    def get_lifecycle_policy_preview(self, request: JsonObject) -> JsonObject:
        """Return that there is no preview, which the local cloud does not offer.

        Raises:
            ServiceError: always.
        """
        repository = self.requested_repository(request)
        raise self._missing("LifecyclePolicyPreviewNotFoundException", "Lifecycle policy preview", repository)

    def set_repository_policy(self, request: JsonObject) -> JsonObject:
        """Store a repository policy, which permits and denies nothing here."""
        policy, name = request["policyText"], self.requested_repository(request).name
        _check_policy(policy)
        return self._policy_document(
            self.store.update_repository(name, lambda current: attrs.evolve(current, policy=policy))
        )

    def get_repository_policy(self, request: JsonObject) -> JsonObject:
        """Return the repository policy."""
        return self._policy_document(self._require_policy(request))

    def delete_repository_policy(self, request: JsonObject) -> JsonObject:
        """Remove the repository policy and return it."""
        repository = self._require_policy(request)
        self.store.update_repository(repository.name, lambda current: attrs.evolve(current, policy=""))
        return self._policy_document(repository)

    def get_registry_policy(self, _request: JsonObject) -> JsonObject:
        """Return that the registry has no policy, which the local cloud does not offer.

        Raises:
            ServiceError: always.
        """
        message = f"Registry policy does not exist in the registry with id '{self.account}'"
        raise ServiceError("RegistryPolicyNotFoundException", message)

    def _require_lifecycle(self, request: JsonObject) -> ImageRepository:
        repository = self.requested_repository(request)
        if not repository.lifecycle:
            raise self._missing("LifecyclePolicyNotFoundException", "Lifecycle policy", repository)
        return repository

    def _require_policy(self, request: JsonObject) -> ImageRepository:
        repository = self.requested_repository(request)
        if not repository.policy:
            raise self._missing("RepositoryPolicyNotFoundException", "Repository policy", repository)
        return repository

    def _missing(self, code: str, noun: str, repository: ImageRepository) -> ServiceError:
        message = (
            f"{noun} does not exist for the repository with name '{repository.name}' "
            f"in the registry with id '{self.account}'"
        )
        return ServiceError(code, message)

    def _lifecycle_document(self, repository: ImageRepository) -> JsonObject:
        return self.identify(repository) | {"lifecyclePolicyText": repository.lifecycle}

    def _policy_document(self, repository: ImageRepository) -> JsonObject:
        return self.identify(repository) | {"policyText": repository.policy}


def _check_policy(text: str) -> None:
    """Refuse a text that is no policy document of IAM."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("Statement"), (list, dict)):
        raise validation_error("PolicyText", "Invalid repository policy provided")
