"""The step in which the running app proves its version."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from kaizen_tasks.domain.decision import Act, Decision, Done, Refuse
from kaizen_tasks.domain.health import ProbeTally
from kaizen_tasks.domain.ledger import Event, LedgerEntry
from kaizen_tasks.domain.text import duration, log_excerpt
from kaizen_tasks.errors import KaizenError, Unproven, VerifyFailed
from kaizen_tasks.flows.deploy import probe, superseded
from kaizen_tasks.flows.environment_step import EnvironmentStep
from kaizen_tasks.flows.ledger import entries
from kaizen_tasks.flows.step import ProbeStep

if TYPE_CHECKING:
    from kaizen_tasks.domain.release import Release
    from kaizen_tasks.ports.tools import Tools


@frozen(kw_only=True)
class Verify(ProbeStep, EnvironmentStep):
    """Request the running app's version until the app reports the release several times in a row."""

    step_name: ClassVar[str] = "verify"

    def decide(self, release: Release, tools: Tools) -> Decision:
        """Check whether this run has verified the app, or an earlier one has and the app still reports the release."""
        if self.label in release.verified_steps:
            matches = tools.settings.verify.matches
            times = "once" if matches == 1 else f"{matches} times in a row"
            return Done(f"the app answers {release.name} in {self.environment.name}, {times}", release)
        latest_entry = entries.read_latest_entry(self.environment, tools)
        if entries.is_verification_of(release, latest_entry) and self._still_answers(release, tools):
            reason = f"the app answers {release.name} in {self.environment.name}, as it was verified before"
            return Done(reason, release)
        if latest_entry is not None and _is_another_image(latest_entry, release):
            return self._refuse_another_image(latest_entry, release)
        return Act(f"ask {tools.settings.verify.path} until it proves {release.name}", release)

    def _refuse_another_image(self, latest_entry: LedgerEntry, release: Release) -> Refuse:
        name = self.environment.name
        reason = (
            f"{name} was deployed with another image of {release.name} ({latest_entry.digest[:19]}), so its answer"
            f" proves nothing about {release.digest[:19]}"
        )
        return Refuse(reasons=(reason,), hint=f"deploy it first: inv deploy --env {name} --release {release.name}")

    def _still_answers(self, release: Release, tools: Tools, url: str = "") -> bool:
        """Return whether `verify.matches` answers prove the release: one of two instances may run another one now."""
        url = url or probe.probe_url(self.environment, tools)
        endpoint = probe.version_endpoint(self.environment, url, tools)
        reports = (endpoint.fetch() for _ in range(tools.settings.verify.matches))
        return all(probe.proves_release(report, self.environment, release) for report in reports)

    def act(self, release: Release, tools: Tools) -> Release:
        """Request the version over a new connection each time, until `verify.matches` answers in a row are right.

        Raises:
            DeployFailed: the deployment of the release has failed in the meantime.
            VerifyFailed: `verify.timeout` passed without such answers, or another deployment superseded this one.
            Unproven: one of the last answers came from a cache, or all from something else in front of the service, or
                this machine's network kept one of the last requests from the app.
        """
        with entries.keeping_outcome(release, tools):
            return self._ask_until_proven(release, tools)

    def _ask_until_proven(self, release: Release, tools: Tools) -> Release:
        rules, url, tally = tools.settings.verify, probe.probe_url(self.environment, tools), ProbeTally()
        endpoint = probe.version_endpoint(self.environment, url, tools)
        supersession = superseded.SupersessionWatch(self.environment, release, tools)
        for remaining in probe.retry_for(rules.timeout, tools):
            report = endpoint.fetch(timeout=min(remaining, probe.REQUEST_TIMEOUT_SECONDS))
            if str(report) != str(tally.last_report):
                tools.reporter.progress(self.label, f"{url} {report}")
            tally = tally.add(report, is_match=probe.proves_release(report, self.environment, release))
            if tally.streak == rules.matches:
                return release.with_verified_step(self.label)
            if not tally.streak:
                supersession.check()
        if foreign_report := tally.inconclusive_report(rules.matches):
            answers = f"{url}{rules.path} {foreign_report}"
            remedy = foreign_report.network_remedy or self._remedy(f"exclude {rules.path} from the cache", tools)
            raise self._unproven_error(answers, remedy, release)
        if self._is_hidden(url, tally, release, tools):
            answers = f"{url}{rules.path} {tally.last_report}, but the service itself answers {release.name}"
            remedy = self._remedy("let the address lead to the service, uncached", tools)
            raise self._unproven_error(answers, remedy, release)
        raise self._unverified_error(url, tally, release, tools)

    def _is_hidden(self, url: str, tally: ProbeTally, release: Release, tools: Tools) -> bool:
        """Return whether the configured address steadily answers another version, and the service itself the release.

        A cache without a header that tells, or an address of another service, is no reason to roll back.
        """
        if tally.resets or not tally.last_report.version:
            return False
        with suppress(KaizenError):
            own_url = probe.service_url(self.environment, tools)
            return own_url != url and not probe.is_local(url) and self._still_answers(release, tools, own_url)
        return False

    def _remedy(self, remedy: str, tools: Tools) -> str:
        direct = "" if tools.settings.verify.direct else ", or ask the service itself: direct = true in [verify]"
        return remedy + direct

    def _unproven_error(self, answers: str, remedy: str, release: Release) -> Unproven:
        return Unproven.of_release(release.name, environment=self.environment.name, answers=answers, remedy=remedy)

    def _unverified_error(self, url: str, tally: ProbeTally, release: Release, tools: Tools) -> VerifyFailed:
        rules, name = tools.settings.verify, self.environment.name
        expected = tools.settings.version_format.report(release.name, name)
        explanation, report = tally.explain(expected, rules.matches), tally.last_report
        lacks_environment = report.version == release.name and not report.environment
        remedy = "look at the service"
        if report.is_off_topic:
            remedy = "look at the service and at [verify], which says how to ask it"
        if lacks_environment and report.names_environment:
            remedy = "if the app cannot name its environment, write environment = false in [verify]"
        return VerifyFailed(
            f"{name}: {url}{rules.path} {explanation}",
            environment=name,
            state=f"deployed, but not proven by the app within {duration.format_duration(rules.timeout)}",
            hint=f"{remedy}, then check again: inv verify --env {name} --release {release.name}",
            output=() if report.version else self._app_output(tools),
            is_refuted=tally.refutes(expected),
        )

    def _app_output(self, tools: Tools) -> tuple[str, ...]:
        """Return the last lines that the app has printed since it was deployed; none if they cannot be read."""
        with suppress(KaizenError):
            target, limit = tools.at(self.environment), log_excerpt.MAX_LINES
            service = target.platform.get_service(self.environment.service)
            for operation in target.platform.list_operations(service)[:1]:
                lines = target.logs.application_tail(service, since=operation.started_at, limit=limit)
                return log_excerpt.sanitize_tail(lines)
        return ()


def _is_another_image(latest_entry: LedgerEntry, release: Release) -> bool:
    """Return whether an environment was deployed with a different image that answers with the same version."""
    is_deployed = latest_entry.event not in {Event.FAILED, Event.ABANDONED}
    return is_deployed and latest_entry.version == release.name and release.digest not in {"", latest_entry.digest}
