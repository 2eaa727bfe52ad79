"""Collects the tasks, and puts the configuration under them where Invoke's own layers can override it."""

from __future__ import annotations

from invoke.collection import Collection

from kaizen_tasks.config import source
from kaizen_tasks.tasks import changelog, local, observing, releasing, rollout, setup
from kaizen_tasks.tasks.demo import demo


def build() -> Collection:
    """Return every task that the configuration has a use for, with those that the pipeline gives names to."""
    found = source.find()
    collection = Collection(releasing.bump, releasing.commit, releasing.tag, demo, changelog=changelog.collection())
    if "environments" in found.raw or found.fault:
        _add_deploy_side(collection)
    for each in rollout.pipeline_tasks(_pipeline(found.raw)):
        collection.add_task(each)
    collection.configure(source.with_defaults(found.raw))
    return collection


def _add_deploy_side(collection: Collection) -> None:
    """Add what needs an environment; an app that only has versions and a changelog is not shown these."""
    collection.add_collection(local.collection(), name="local")
    for each in (
        releasing.build,
        releasing.push,
        rollout.deploy,
        rollout.verify,
        rollout.promote,
        observing.status,
        observing.history,
        setup.setup,
    ):
        collection.add_task(each)


def _pipeline(raw: source.Raw) -> tuple[str, ...]:
    """Return the stages that can be task names; a malformed pipeline is reported when a task runs."""
    pipeline = raw.get("pipeline", ())
    return tuple(name for name in pipeline if isinstance(name, str) and name) if isinstance(pipeline, list) else ()
