"""Every method of a port is known to read, or says what it changes."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from kaizen_tasks.ports import index
from kaizen_tasks.ports.effects import effects, effects_under_lock, mutates
from kaizen_tasks.ports.index import PORTS
from kaizen_tasks.ports.tools import Target, Tools

READING: dict[str, set[str]] = {
    "release_files": {"locate", "names", "read"},
    "scm": {
        *("invalidate_cache", "head", "resolve", "read_at", "modified_files", "blockers", "tags", "changed_files"),
        *("commits_between", "history", "is_shallow"),
        *("committer", "tracked_files", "find_lines", "ignored_files"),
        *(
            "is_ancestor",
            "pending_releases",
            "files_differing_from",
            "remote_refs",
            "commit_time",
            "web_url",
            "path_in_repository",
        ),
        *("untracked_files", "cached_remote_refs", "commit_trailer", "fetch_claims", "fetch_branch", "merge_base"),
        *("latest_change", "push_target", "is_on_remote"),
    },
    "builder": {"find_image"},
    "registry": {"find_image", "find_digest", "repository_uri", "credentials", "read_manifest", "open_blob"},
    "platform": {"get_service", "service_url", "service_urls", "list_operations", "read_settings"},
    "logs": {"deployment_tail", "application_tail", "application_log"},
    "commands": {"find", "status", "output"},
    "migration_source": {"read_source"},
    "migration_target": {"trusted_services", "creation_tag"},
    "identity": {"account_id"},
    "ledger": {"entries", "entries_since", "recent_entries"},
    "locks": {"get", "get_many", "inherited_tokens"},
    "holds": {"get", "get_many"},
    "outbox": {"content", "thread", "do_without"},
    "secrets": {"identifier", "current", "previous"},
    "account": {
        *("caller", "supported_regions", "endpoint_urls", "clock_skew", "permissions", "ledger_table"),
        *("denied_changes", "tag_mutability", "tag_mutabilities"),
        *("lifecycle_rules", "list_images", "is_blob_mounting_enabled", "review_service"),
    },
    "host": {"build_engine", "process_identity", "is_dead", "is_running"},
    "prober": {"probe"},
    "network": {"route", "authorities", "addresses"},
    "clock": {"now", "release_date", "monotonic", "sleep", "cancel_waits"},
    "forge": {"server", "access_problem", "files_url", "find_pull_request", "find_release"},
    "messenger": {"require_usable"},
    "reporter": {
        *("heading", "decided", "progress", "activity", "checked", "succeeded", "failed", "note"),
        *("interrupted", "summary"),
        *("rollout_table", "environment_finished"),
    },
    "run_report": {"record", "finish"},
}
"""The methods that change nothing outside this process but what people see."""


@pytest.mark.parametrize("name", PORTS)
def test_every_port_method_is_marked_as_changing_or_listed_as_reading(name: str) -> None:
    methods = {name for name, value in vars(PORTS[name]).items() if callable(value) and not name.startswith("_")}
    marked = set(effects(PORTS[name]))
    assert methods - marked == READING[name]


def test_the_index_has_every_port_of_the_toolbox() -> None:
    members = {**vars(Target), **vars(Tools)}
    properties = {name: value for name, value in members.items() if isinstance(value, property)}
    ports = {
        name: get_type_hints(value.fget, localns=vars(index) | {"Settings": object})["return"]
        for name, value in properties.items()
        if name not in {"settings", "actor", "run_url"}
    }
    assert ports == PORTS


def test_a_mark_says_what_is_changed_and_whether_a_lock_protects_it() -> None:
    class Port:
        @mutates("it is written")
        def write(self) -> None: ...
        @mutates("it is cached", needs_lock=False)
        def cache(self) -> None: ...
        def read(self) -> None: ...

    assert effects(Port) == {"write": "it is written", "cache": "it is cached"}
    assert effects_under_lock(Port) == {"write": "it is written"}
