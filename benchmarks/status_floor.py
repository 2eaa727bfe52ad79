"""Asks what `inv status` of an app asks, with nothing but boto3, `http.client` and threads; prints how many AWS calls.

Usage: status_floor.py URL THREADS ENVIRONMENT…
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

TABLE = "kaizen-fleet"
NEXT_NUMBER = 10**6
"""Of an entry that is not there: the table is asked whether it is."""


def main(url: str, threads: str, *environments: str) -> None:
    """Ask for the account, the services and their versions, the images, locks, holds and entries."""
    create: Any = boto3.client  # its overloads want the service's name as a literal
    config = Config(max_pool_connections=int(threads))
    sts, ecr, apprunner, dynamodb = (
        create(name, endpoint_url=url, config=config) for name in ("sts", "ecr", "apprunner", "dynamodb")
    )
    sts.get_caller_identity()
    calls = 1

    def find_image(environment: str) -> None:
        ecr.batch_get_image(repositoryName=f"{environment}-fleet-app", imageIds=[{"imageTag": "latest"}])

    def read_items(prefix: str, sort_key: str) -> None:
        keys = [{"pk": {"S": f"{prefix}#{name}"}, "sk": {"S": sort_key}} for name in environments]
        dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})

    def read_entries() -> None:
        read_items("ledger", "n$")
        read_items("ledger", f"n#{NEXT_NUMBER:012d}")

    with ThreadPoolExecutor(int(threads)) as pool:
        waiting = [pool.submit(read_entries), pool.submit(read_items, "lock", "lock")]
        waiting += [pool.submit(read_items, "hold", "hold")]
        waiting += [pool.submit(find_image, name) for name in environments]
        calls += len(waiting) + 1
        page: dict[str, Any] = {"NextToken": ""}
        while "NextToken" in page:
            page = apprunner.list_services(**({"NextToken": page["NextToken"]} if page["NextToken"] else {}))
            calls += 1
            waiting += [pool.submit(_fetch_version, each["ServiceUrl"]) for each in page["ServiceSummaryList"]]
        for future in waiting:
            future.result()
    print(calls)


def _fetch_version(address: str) -> None:
    connection = HTTPConnection(urlsplit(f"//{address}").netloc)
    connection.request("GET", "/version")
    connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
