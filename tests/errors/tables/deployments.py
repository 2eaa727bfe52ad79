"""Deployments that fail, each of an app of its own on the shared cloud."""

from __future__ import annotations

from tests.errors.case import PASTE, Case

PUSH = "git commit --quiet --all --message More && git push --quiet"
NOTE = "inv changelog.add --type fixed --text 'A crash'"
NOTE_FIX = "inv changelog.add --type fixed --text 'The app starts without a database'"
RELEASE = r"/coach\.git/|/\.git/|/VERSION|/CHANGELOG\.md"
"""What a release changes before it is deployed."""
ANSWER_HTML = (
    "python -m tests.errors.answer_badly html_page ../url > /dev/null 2>&1 & echo $! > ../pid; "
    "until [ -s ../url ]; do sleep 0.1; done"
)
PAUSE_MARK = (
    "aws apprunner pause-service --service-arn $(aws apprunner list-services --output text --query "
    "\"ServiceSummaryList[?ServiceName=='mark-errors-service'].ServiceArn\")"
)


def released(app: str) -> tuple[str, ...]:
    """Return the lines that release v0.2.1 of another app to a staging of its own, and note a change."""
    return (f"sed -i 's/\"errors\"/\"{app}\"/' kaizen.toml && {PUSH}", "inv local.up --state $HOME",
            "inv release-staging", NOTE, PUSH)  # fmt: skip


CASES = (
    Case(mistake="a service that is paused",
         before=(PAUSE_MARK,),
         typed="inv deploy --env mark --release v0.2.0", code=3, says="mark-errors-service is PAUSED",
         hint="resume it: aws apprunner resume-service --service-arn *", again=0),
    Case(mistake="an app that crashes when it starts",
         before=(*released("crash"), f"echo 'raise SystemExit(\"no database\")' > coach/__main__.py && {PUSH}"),
         typed="inv release-staging", code=7,
         says="ROLLBACK_SUCCEEDED: Health check failed; the app's log ends with: no database",
         hint="run the same command to retry; after a fix that is noted and committed: inv release-staging",
         follow=("git checkout --quiet HEAD~2 -- coach/__main__.py", NOTE_FIX, PUSH, PASTE),
         changes=True, leaves=RELEASE),
    Case(mistake="an app that answers nothing of use before and after the rollback",
         before=(*released("useless"),
                 ANSWER_HTML,
                 "export INVOKE_VERIFY_TIMEOUT=300ms INVOKE_ENVIRONMENTS_STAGING_URL=$(cat ../url)"),
         typed="inv release-staging", code=10, says="v0.2.2 failed verification, and so did the rollback to v0.2.1",
         hint="check the service now; then: inv rollback --env staging --release v0.2.1",
         follow=("kill $(cat ../pid)", "unset INVOKE_ENVIRONMENTS_STAGING_URL", PASTE),
         changes=True, leaves=RELEASE),
)  # fmt: skip
