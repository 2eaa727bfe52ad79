"""Task definitions for the tests of ECS."""

from __future__ import annotations

from typing import Any

ROLE = "arn:aws:iam::123456789012:role/execution"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
WEB = {"name": "web", "image": "127.0.0.1:4566/web@sha256:" + "0" * 64}


def fargate(*containers: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a request for a task definition that Fargate runs."""
    return {
        "family": "web",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [*(containers or (WEB,))],
        **members,
    }


NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
