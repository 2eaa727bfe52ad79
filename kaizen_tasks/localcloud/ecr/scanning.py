"""ECR's image scans, which find nothing here, and other reads that tools make of every repository."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.localcloud.ecr.images import EcrImages
from kaizen_tasks.localcloud.server.aws_json import ServiceError

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.server.http_message import JsonObject


class EcrScanning(EcrImages):
    """Scan images and describe the configuration of scans."""

    region: str

    def put_image_scanning_configuration(self, request: JsonObject) -> JsonObject:
        """Set whether images are scanned when they are pushed."""
        scan_on_push = request["imageScanningConfiguration"].get("scanOnPush", False)
        name = self.requested_repository(request).name
        repository = self.store.update_repository(
            name, lambda current: attrs.evolve(current, scan_on_push=scan_on_push)
        )
        return self.identify(repository) | {"imageScanningConfiguration": {"scanOnPush": scan_on_push}}

    def start_image_scan(self, request: JsonObject) -> JsonObject:
        """Scan an image."""
        repository, image_id = self.requested_repository(request), request["imageId"]
        digest, now = self.require_digest(repository, image_id), round(time.time(), 3)
        self.store.update_repository(
            repository.name, lambda current: current.with_scan(self.require_digest(current, image_id), now)
        )
        return self.identify(repository) | {
            "imageId": {**image_id, "imageDigest": digest},
            "imageScanStatus": {"status": "IN_PROGRESS"},
        }

    def describe_image_scan_findings(self, request: JsonObject) -> JsonObject:
        """Return that a scan found nothing."""
        repository, image_id = self.requested_repository(request), request["imageId"]
        digest = self.require_digest(repository, image_id)
        image = repository.images[digest]
        if image.scanned_at is None:
            raise ServiceError(
                "ScanNotFoundException",
                f"Image scan does not exist for the image with '{{imageDigest:'{digest}', "
                f"imageTag:'{image_id.get('imageTag', 'null')}'}}' in the repository with name '{repository.name}' "
                f"in the registry with id '{self.account}'",
            )
        return self.identify(repository) | {
            "imageId": {**image_id, "imageDigest": digest},
            "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
            "imageScanFindings": {
                "imageScanCompletedAt": image.scanned_at,
                "vulnerabilitySourceUpdatedAt": image.scanned_at,
                "findingSeverityCounts": {},
                "findings": [],
            },
        }

    def get_registry_scanning_configuration(self, _request: JsonObject) -> JsonObject:
        """Return that images are scanned as their repositories say."""
        return {"registryId": self.account, "scanningConfiguration": {"scanType": "BASIC", "rules": []}}

    def batch_get_repository_scanning_configuration(self, request: JsonObject) -> JsonObject:
        """Return which repositories scan their images when they are pushed."""
        known = {repository.name: repository for repository in self.store.repositories()}
        names = dict.fromkeys(request["repositoryNames"])
        return {
            "scanningConfigurations": [
                {
                    "repositoryArn": f"arn:aws:ecr:{self.region}:{self.account}:repository/{name}",
                    "repositoryName": name,
                    "scanOnPush": known[name].scan_on_push,
                    "scanFrequency": "SCAN_ON_PUSH" if known[name].scan_on_push else "MANUAL",
                    "appliedScanFilters": [],
                }
                for name in names
                if name in known
            ],
            "failures": [
                {
                    "repositoryName": name,
                    "failureCode": "REPOSITORY_NOT_FOUND",
                    "failureReason": "Repository not found",
                }
                for name in names
                if name not in known
            ],
        }

    def describe_image_replication_status(self, request: JsonObject) -> JsonObject:
        """Return that an image is not replicated."""
        repository = self.requested_repository(request)
        self.require_digest(repository, request["imageId"])
        return {"repositoryName": repository.name, "imageId": request["imageId"], "replicationStatuses": []}

    def describe_pull_through_cache_rules(self, _request: JsonObject) -> JsonObject:
        """Return that there are no pull-through caches."""
        return {"pullThroughCacheRules": []}

    def describe_repository_creation_templates(self, _request: JsonObject) -> JsonObject:
        """Return that there are no templates."""
        return {"registryId": self.account, "repositoryCreationTemplates": []}
