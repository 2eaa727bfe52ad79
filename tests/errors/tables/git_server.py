"""The server does not take what is pushed; pre-receive hooks say what GitHub, GitLab and others say."""

from __future__ import annotations

from tests.errors.case import PASTE, Case
from tests.errors.tables.repository import BEGUN, ELSEWHERE

ACCEPT = "rm ../remote.git/hooks/pre-receive"
"""Makes the server accept everything again."""


def reject(*lines: str) -> tuple[str, ...]:
    """Return the lines that make the server reject every push with some words."""
    script = "".join(f'echo "{line}"\\n' for line in lines)
    hook = "../remote.git/hooks/pre-receive"
    return (f"printf '#!/bin/sh\\n{script}exit 1\\n' > {hook}", f"chmod +x {hook}")


CASES = (
    Case(mistake="a branch that the server protects",
         before=reject("GH006: Protected branch update failed for refs/heads/main."),
         typed="inv cut --push", code=6, says="origin protects main: GH006: Protected branch update failed",
         hint="merge it into main by a pull request, with a merge commit, and pull, from the branch that this makes: "
              "git push origin *:refs/heads/release-v0.1.1, then run the same command again",
         follow=(ACCEPT, PASTE,
                 f"{ELSEWHERE} && git merge --quiet --no-ff --no-edit origin/release-v0.1.1 && git push --quiet",
                 "git pull --quiet --no-rebase --tags origin main"),
         again=3,  # it asks the cloud whether its image is there, and there are no credentials
         leaves=BEGUN),
    Case(mistake="a push without the signatures that the server wants",
         before=reject("GH013: Repository rule violations found for refs/heads/main.",
                       "- Commits must have verified signatures."),
         typed="inv cut --push", code=6, says="origin wants signatures on main: Commits must have verified signatures.",
         hint="set a user.signingKey that origin knows, and sign: git config commit.gpgSign true "
              "&& git config tag.gpgSign true && git update-ref -d refs/kaizen/release/v0.1.1, "
              "then run the same command again",
         follow=("ssh-keygen -q -t ed25519 -N '' -f ../key && git config user.signingKey $PWD/../key",
                 "git config gpg.format ssh", PASTE, ACCEPT),
         leaves=BEGUN),
    Case(mistake="a commit message that the server does not accept",
         before=reject("GitLab: Commit message does not follow the pattern"),
         typed="inv cut --push", code=6,
         says="origin does not accept the release commit on main: Commit message does not follow the pattern",
         hint="correct release.message or release.signoff in kaizen.toml, or git's user.email, and: "
              "git update-ref -d refs/kaizen/release/v0.1.1, then run the same command again",
         follow=("git update-ref -d refs/kaizen/release/v0.1.1", "export INVOKE_RELEASE_MESSAGE='chore: {version}'",
                 ACCEPT),
         leaves=BEGUN),
    Case(mistake="an account that may not push",
         before=reject("You are not allowed to push code to this project."),
         typed="inv cut --push", code=6, says="origin does not let this account push main: You are not allowed to push",
         hint="ask for write access to origin, or use an account or token that has it, and check: "
              "git push --dry-run origin HEAD, then run the same command again",
         follow=(ACCEPT, PASTE), leaves=BEGUN),
    Case(mistake="a token that the server does not know",
         before=reject("HTTP Basic: Access denied"),
         typed="inv cut --push", code=6, says="origin does not let this account push main: HTTP Basic: Access denied",
         hint="check who you are there with: git ls-remote origin; then run the same command again",
         follow=(ACCEPT, PASTE), leaves=BEGUN),
    Case(mistake="a secret in what is pushed",
         before=reject("GH013: Repository rule violations found", "- Push cannot contain secrets"),
         typed="inv cut --push", code=6, says="origin finds a secret in what is pushed to main",
         hint="remove the secret from the commits that are named, and revoke it, or allow it at the address above; "
              "then run the same command again",
         follow=(ACCEPT,), leaves=BEGUN),
    Case(mistake="a server without room",
         before=reject("fatal: write error: No space left on device"),
         typed="inv cut --push", code=6, says="origin has no room for main",
         hint="make room or raise the limit on origin, then run the same command again",
         follow=(ACCEPT,), leaves=BEGUN),
    Case(mistake="the release of somebody else with the same number",
         before=("inv cut", f"{ELSEWHERE} && git commit --quiet --allow-empty --message One",
                 "cd ../other && git tag --annotate --message One v0.1.1 && git push --quiet origin main v0.1.1"),
         typed="inv cut --push", code=3, says="origin has the tag v0.1.1 on commit ",
         hint="git tag -d v0.1.1 && git reset --keep HEAD^ && git pull --no-rebase --tags origin main, "
              "then run the same command again",
         again=3),  # now that tag has no heading here
    Case(mistake="a release whose number another commit has",
         before=("inv cut", f"{ELSEWHERE} && git commit --quiet --allow-empty --message One",
                 "cd ../other && git tag --annotate --message One v0.1.1 && git push --quiet origin v0.1.1"),
         typed="inv tag", code=3, says="the tag v0.1.1 exists on commit ",
         hint="a released version is never replaced; release the next one: inv changelog.add --type fixed "
              "--text \"What changed\" && git add CHANGELOG.md "
              "&& git commit --message 'Note what changed' -- CHANGELOG.md && inv release-staging",
         leads_to=3),  # there are no credentials
    Case(mistake="a branch that follows one of another name",
         before=("git push --quiet origin main:trunk && git fetch --quiet && git branch --quiet trunk",
                 "git branch --quiet --set-upstream-to origin/trunk"),
         typed="inv cut --push", code=3, says="main tracks origin/trunk, a branch of another name",
         hint="to push to origin/trunk: git config push.default upstream; to push to origin/main: "
              "git branch --unset-upstream main, then run the same command again"),
    Case(mistake="a branch that follows a repository without a name",
         before=("git remote remove origin", "git config branch.main.remote ../remote.git",
                 "git config branch.main.merge refs/heads/main"),
         typed="inv cut --push", code=3, says="main tracks a repository that is not among the remotes",
         hint="git remote add origin URL, and run the same command again",
         follow=("git remote add origin ../remote.git", "git branch --unset-upstream")),
)  # fmt: skip
