"""App Runner's operations on auto-scaling configurations, VPC connectors and observability configurations."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.apprunner.apprunner_errors import (
    invalid_request,
    not_found,
    paginate,
    tags_by_key,
    to_datetime,
)
from kaizen_tasks.localcloud.apprunner.shared_resources import AUTO_SCALING, OBSERVABILITY, VPC_CONNECTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kaizen_tasks.localcloud.apprunner.services import AppRunnerService, ServiceStore
    from kaizen_tasks.localcloud.apprunner.shared_resources import SharedResource, SharedResourceStore
    from kaizen_tasks.localcloud.server.http_message import JsonObject

_SCALING_DEFAULTS = {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25}
_DEFAULT_SECURITY_GROUP = "sg-00000000000000000"


class SharedResourceApi:
    """Create, describe, list and delete what several services share."""

    services: ServiceStore
    shared: SharedResourceStore

    def create_auto_scaling_configuration(self, request: JsonObject) -> JsonObject:
        """Create the next revision of an auto-scaling configuration."""
        sizes = {name: request.get(name, default) for name, default in _SCALING_DEFAULTS.items()}
        if sizes["MinSize"] > sizes["MaxSize"]:
            raise invalid_request("MinSize can't be greater than MaxSize.")
        return self._create(AUTO_SCALING, request, {**sizes, "IsDefault": False})

    def describe_auto_scaling_configuration(self, request: JsonObject) -> JsonObject:
        """Describe a revision of an auto-scaling configuration."""
        return self._describe_requested(AUTO_SCALING, request)

    def list_auto_scaling_configurations(self, request: JsonObject) -> JsonObject:
        """Return one page of the active auto-scaling configurations."""
        return self._list(AUTO_SCALING, request, "AutoScalingConfigurationSummaryList", self._scaling_summary)

    def list_services_for_auto_scaling_configuration(self, request: JsonObject) -> JsonObject:
        """Return one page of the services with an auto-scaling configuration."""
        page, next_page = paginate(self._users(self._require(AUTO_SCALING, request)), request)
        return {"ServiceArnList": [service.arn for service in page], **next_page}

    def update_default_auto_scaling_configuration(self, request: JsonObject) -> JsonObject:
        """Make an auto-scaling configuration the one of new services that name none."""
        with self.shared.lock:
            chosen = self._require(AUTO_SCALING, request)
            for resource in self.shared.all(AUTO_SCALING):
                settings = {**resource.settings, "IsDefault": resource.arn == chosen.arn}
                self.shared.put(attrs.evolve(resource, settings=settings))
            return {AUTO_SCALING: self._describe_shared(self._require(AUTO_SCALING, request))}

    def delete_auto_scaling_configuration(self, request: JsonObject) -> JsonObject:
        """Delete a revision of an auto-scaling configuration, or all revisions of its name."""
        return self._delete(AUTO_SCALING, request)

    def create_vpc_connector(self, request: JsonObject) -> JsonObject:
        """Create a VPC connector, which has one revision."""
        if not request["Subnets"]:
            raise invalid_request("A VPC connector needs at least one subnet.")
        with self.shared.lock:
            name = request["VpcConnectorName"]
            if any(known.name == name and known.is_active for known in self.shared.all(VPC_CONNECTOR)):
                raise invalid_request(f"VPC connector with the provided name already exists: {name}.")
            groups = request.get("SecurityGroups") or [_DEFAULT_SECURITY_GROUP]
            return self._create(VPC_CONNECTOR, request, {"Subnets": request["Subnets"], "SecurityGroups": groups})

    def describe_vpc_connector(self, request: JsonObject) -> JsonObject:
        """Describe a VPC connector."""
        return self._describe_requested(VPC_CONNECTOR, request)

    def list_vpc_connectors(self, request: JsonObject) -> JsonObject:
        """Return one page of the active VPC connectors."""
        return self._list(VPC_CONNECTOR, request, "VpcConnectors", self._describe_shared)

    def delete_vpc_connector(self, request: JsonObject) -> JsonObject:
        """Delete a VPC connector."""
        return self._delete(VPC_CONNECTOR, request)

    def create_observability_configuration(self, request: JsonObject) -> JsonObject:
        """Create the next revision of an observability configuration."""
        trace = request.get("TraceConfiguration")
        return self._create(OBSERVABILITY, request, {"TraceConfiguration": trace} if trace else {})

    def describe_observability_configuration(self, request: JsonObject) -> JsonObject:
        """Describe a revision of an observability configuration."""
        return self._describe_requested(OBSERVABILITY, request)

    def list_observability_configurations(self, request: JsonObject) -> JsonObject:
        """Return one page of the active observability configurations."""
        return self._list(
            OBSERVABILITY, request, "ObservabilityConfigurationSummaryList", lambda resource: resource.identity
        )

    def delete_observability_configuration(self, request: JsonObject) -> JsonObject:
        """Delete a revision of an observability configuration."""
        return self._delete(OBSERVABILITY, request)

    def _create(self, kind: str, request: JsonObject, settings: JsonObject) -> JsonObject:
        tags = tags_by_key(request.get("Tags", []))
        return {kind: self._describe_shared(self.shared.create(kind, request[f"{kind}Name"], settings, tags))}

    def _describe_requested(self, kind: str, request: JsonObject) -> JsonObject:
        return {kind: self._describe_shared(self._require(kind, request))}

    def _list(
        self, kind: str, request: JsonObject, member: str, describe: Callable[[SharedResource], JsonObject]
    ) -> JsonObject:
        name, latest_only = request.get(f"{kind}Name"), request.get("LatestOnly", True)
        resources = [
            resource
            for resource in self.shared.all(kind)
            if resource.is_active
            and name in (None, resource.name)
            and (not latest_only or self.shared.is_latest(resource))
        ]
        page, next_page = paginate(resources, request)
        return {member: [describe(resource) for resource in page], **next_page}

    def _delete(self, kind: str, request: JsonObject) -> JsonObject:
        with self.shared.lock:
            found = self._require(kind, request)
            revisions = [found]
            if request.get("DeleteAllRevisions"):
                revisions = [known for known in self.shared.all(kind) if known.name == found.name and known.is_active]
            for resource in revisions:
                if self._users(resource) or resource.settings.get("IsDefault"):
                    raise invalid_request(f"{resource.arn} is in use or the default, and can't be deleted.")
            for resource in revisions:
                self.shared.put(attrs.evolve(resource, deleted=time.time()))
            return {kind: self._describe_shared(self.shared.get(found.arn) or found)}

    def _require(self, kind: str, request: JsonObject) -> SharedResource:
        arn = request[f"{kind}Arn"]
        resource = self.shared.find(kind, arn)
        if resource is None:
            raise not_found(kind, arn)
        return resource

    def _users(self, resource: SharedResource) -> Sequence[AppRunnerService]:
        return [
            service
            for service in self.services.all()
            if service.deleted is None and resource.arn in service.shared_arns
        ]

    def _scaling_summary(self, resource: SharedResource) -> JsonObject:
        excluded = ("Latest", *_SCALING_DEFAULTS, "DeletedAt")
        return {name: value for name, value in self._describe_shared(resource).items() if name not in excluded}

    def _describe_shared(self, resource: SharedResource) -> JsonObject:
        is_scaling = resource.kind == AUTO_SCALING
        return {
            **resource.identity,
            **resource.settings,
            **({} if resource.kind == VPC_CONNECTOR else {"Latest": self.shared.is_latest(resource)}),
            **({"HasAssociatedService": bool(self._users(resource))} if is_scaling else {}),
            "Status": "ACTIVE" if resource.is_active else "INACTIVE",
            "CreatedAt": to_datetime(resource.created),
            "DeletedAt": to_datetime(resource.deleted),
        }
