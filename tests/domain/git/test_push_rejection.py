"""Why a server rejects a push, by what the servers of others print."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.git.push_rejection import Cause, Rejection, find_cause, find_rejection, first_reason

BOTH = ("refs/heads/main", "refs/tags/v1.2.4")
RULES = "push declined due to repository rule violations"


def rejection(text: str, reason: str = "pre-receive hook declined", *, rejected: tuple[str, ...] = BOTH) -> Rejection:
    """Return the rejection of some refs, of which the others fail only because the push is atomic."""
    rows = [
        f"!\t{ref}:{ref}\t[remote rejected] ({reason if ref in rejected else 'atomic transaction failed'})"
        for ref in BOTH
    ]
    stderr = "".join(f"remote: {line}        \n" for line in text.strip().splitlines())
    found = find_rejection("\n".join(rows), stderr)
    assert found is not None
    return found


GITHUB_TAG_RULE = """
error: GH013: Repository rule violations found for refs/tags/v1.2.4.
Review all repository rules at https://github.com/acme/app/rules?ref=refs%2Ftags%2Fv1.2.4

- Cannot create ref due to creations being restricted.
"""
GITHUB_BRANCH_RULE = """
error: GH013: Repository rule violations found for refs/heads/main.
Review all repository rules at https://github.com/acme/app/rules?ref=refs%2Fheads%2Fmain

- Changes must be made through a pull request.

- 2 of 2 required status checks are expected.
"""
GITHUB_SIGNATURE = """
error: GH013: Repository rule violations found for refs/heads/main.

- Commits must have verified signatures.
  Found 1 violation:

  5cbd07211cca9d7c959f48cd0b10e6b6366c619e
"""
GITHUB_SECRET = """
error: GH013: Repository rule violations found for refs/heads/main.

- GITHUB PUSH PROTECTION
  —————————————————————————————————————————
    Resolve the following violations before pushing again

    - Push cannot contain secrets

      —— Amazon AWS Access Key ID ——————————————————————————
       locations:
         - commit: 8728dbe67
           path: app.py:4
"""
GITHUB_SIZE = """
error: File big.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB
error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.
"""
GITLAB_BOX = """

========================================================================

ERROR: You are not allowed to push code to this project.

========================================================================

"""


@pytest.mark.parametrize(
    ("text", "reason", "rejected", "ref", "cause", "why"),
    [
        (
            *(GITHUB_TAG_RULE, RULES, BOTH[1:], "refs/tags/v1.2.4"),
            *(Cause.RULE, "Cannot create ref due to creations being restricted."),
        ),
        (
            *(GITHUB_BRANCH_RULE, RULES, BOTH[:1], "refs/heads/main", Cause.RULE),
            "Changes must be made through a pull request. 2 of 2 required status checks are expected.",
        ),
        (
            *(GITHUB_SIGNATURE, RULES, BOTH[:1], "refs/heads/main"),
            *(Cause.SIGNATURE, "Commits must have verified signatures."),
        ),
        (GITHUB_SECRET, RULES, BOTH[:1], "refs/heads/main", Cause.SECRET, None),
        (GITHUB_SIZE, "pre-receive hook declined", BOTH, "refs/heads/main", Cause.SIZE, None),
        (
            (
                "error: GH006: Protected branch update failed for refs/heads/main.\n"
                "error: At least 1 approving review is required by reviewers with write access."
            ),
            *("protected branch hook declined", BOTH[:1], "refs/heads/main"),
            *(Cause.RULE, "GH006: Protected branch update failed for refs/heads/main."),
        ),
        (
            "error: GH006: Protected tag update failed for refs/tags/v1.2.4.",
            *("protected tag hook declined", BOTH[1:], "refs/tags/v1.2.4", Cause.RULE, None),
        ),
        (
            "GitLab: You are not allowed to push code to protected branches on this project.",
            *("pre-receive hook declined", BOTH, "refs/heads/main"),
            *(Cause.RULE, "You are not allowed to push code to protected branches on this project."),
        ),
        (
            "GitLab: You are not allowed to create this tag as it is protected.",
            *("pre-receive hook declined", BOTH, "refs/tags/v1.2.4"),
            *(Cause.RULE, "You are not allowed to create this tag as it is protected."),
        ),
        (
            *(GITLAB_BOX, "pre-receive hook declined", BOTH, "refs/heads/main"),
            *(Cause.PERMISSION, "You are not allowed to push code to this project."),
        ),
        (
            "GitLab: Commit must be signed with a GPG key",
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.SIGNATURE, None),
        ),
        (
            "GitLab: Commit message does not follow the pattern '^[A-Z]+-[0-9]+'",
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.MESSAGE, None),
        ),
        (
            "GitLab: Your push to this repository has been rejected because it would exceed storage limits.",
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.SIZE, None),
        ),
        (
            (
                "Branch refs/heads/main can only be modified through pull requests.\n"
                "Check your branch permissions configuration with the project administrator."
            ),
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.RULE, None),
        ),
        (
            "Permission denied to update branch main.",
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.RULE, None),
        ),
        (
            "Processing changes: refs: 1, done",
            *("prohibited by Gerrit: not permitted: create tag", BOTH[1:], "refs/tags/v1.2.4", Cause.PERMISSION, None),
        ),
        (
            "ERROR: commit 5cbd072: missing Change-Id in message footer",
            *("commit 5cbd072: missing Change-Id in message footer", BOTH[:1], "refs/heads/main", Cause.MESSAGE, None),
        ),
        (
            "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.",
            *("TF402455", BOTH[:1], "refs/heads/main", Cause.RULE, None),
        ),
        (
            "Gitea: Not allowed to push to protected branch main",
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.RULE, None),
        ),
        (
            "no pushes on Friday",
            *("pre-receive hook declined", BOTH, "refs/heads/main", Cause.HOOK, "no pushes on Friday"),
        ),
        ("", "fetch first", BOTH[:1], "refs/heads/main", Cause.OUTDATED, "fetch first"),
        ("", "already exists", BOTH[1:], "refs/tags/v1.2.4", Cause.TAG_EXISTS, "already exists"),
        ("", "unpacker error", BOTH, "refs/heads/main", Cause.OTHER, "unpacker error"),
    ],
)
def test_finds_ref_cause_and_reason(
    text: str, reason: str, rejected: tuple[str, ...], ref: str, cause: Cause, why: str | None
) -> None:
    found = rejection(text, reason, rejected=rejected)

    assert (found.ref, found.cause) == (ref, cause)
    assert why is None or found.why == why


def test_keeps_every_line_of_the_server() -> None:
    assert rejection(GITHUB_SIGNATURE, RULES).lines == tuple(GITHUB_SIGNATURE.strip().splitlines())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("ERROR: Permission to acme/app.git denied to deploy-key.", Cause.PERMISSION),
        ("ERROR: The key you are authenticating with has been marked as read only.", Cause.PERMISSION),
        ("fatal: unable to access 'https://host/app.git/': The requested URL returned error: 403", Cause.PERMISSION),
        ("TF401027: You need the Git 'GenericContribute' permission to perform this action.", Cause.PERMISSION),
        ("git@host: Permission denied (publickey).", Cause.AUTHENTICATION),
        ("fatal: Authentication failed for 'https://host/app.git/'", Cause.AUTHENTICATION),
        ("fatal: unable to access 'https://host/app.git/': Could not resolve host: host", Cause.OTHER),
    ],
)
def test_finds_why_nothing_was_sent(text: str, cause: Cause) -> None:
    assert find_cause(text) is cause


def test_long_reasons_are_shortened() -> None:
    assert first_reason(("x" * 300,)) == "x" * 200 + " …"
    assert first_reason(("----", "")) == ""


def test_a_push_without_a_rejected_ref_has_no_rejection() -> None:
    assert find_rejection("Done", "fatal: no network") is None
