"""What `doctor`, `init` and checks list; the hint of each line is typed."""

from __future__ import annotations

from tests.errors.case import Case
from tests.errors.tables.repository import BEGUN

FROM = "--kaizen-from https://git.example/team/kaizen"
"""Where a pipeline installs kaizen_tasks from; a checkout does not know it."""

CASES = (
    Case(mistake="a cherry-pick that is under way",
         before=("git switch --quiet --create other && echo 1 > app.py && git commit --quiet --all --message One",
                 "git switch --quiet main && echo 2 > app.py && git commit --quiet --all --message Two",
                 "! git cherry-pick other"),
         typed="inv cut", code=3, says="a cherry-pick is under way: finish it, or: git cherry-pick --abort",
         hint="fix all of these, then run the same command again",
         follow=("git cherry-pick --abort",)),
    Case(mistake="a revert that is under way",
         before=("echo 1 > app.py && git commit --quiet --all --message One",
                 "echo 2 > app.py && git commit --quiet --all --message Two", "! git revert --no-edit HEAD~"),
         typed="inv cut", code=3, says="a revert is under way: finish it, or: git revert --abort",
         hint="fix all of these, then run the same command again",
         follow=("git revert --abort",)),
    Case(mistake="a changelog of which git hides the changes",
         before=("git update-index --assume-unchanged CHANGELOG.md",),
         typed="inv cut", code=3, says="CHANGELOG.md is marked assume-unchanged",
         hint="git update-index --no-assume-unchanged CHANGELOG.md, and run the same command again", leaves=BEGUN),
    Case(mistake="a lock that a git process leaves when the release is nearly done",
         before=(r"printf '#!/bin/sh\ntouch .git/index.lock\n' > .git/hooks/pre-commit",
                 "chmod +x .git/hooks/pre-commit"),
         typed="inv cut", code=3, says="another git process is running in this repository",
         hint="wait for it; if it was killed: rm */.git/index.lock, and run the same command again",
         leaves=f"index.lock|{BEGUN}"),
    Case(mistake="a lock that a git process leaves when the release is on the remote",
         before=("touch .git/refs/heads/main.lock",),
         typed="inv cut --push", code=130, says="another git process is running in this repository",
         hint="wait for it; if it was killed: rm */.git/refs/heads/main.lock, and run the same command again",
         leaves=f"main.lock|refs/remotes/origin/main|remote.git/refs|{BEGUN}"),
    Case(mistake="notes that were written into the changelog of the release while it was cut",
         before=(r"printf '#!/bin/sh\necho \"- More\" >> CHANGELOG.md\n' > .git/hooks/post-commit",
                 r"printf '#!/bin/sh\necho \"- More\" >> CHANGELOG.md\n' > .git/hooks/reference-transaction",
                 "chmod +x .git/hooks/reference-transaction"),
         typed="inv cut", code=3, says="CHANGELOG.md: other changes than the release's would be lost",
         hint="git stash push -- CHANGELOG.md, and run the same command again",
         follow=("rm .git/hooks/reference-transaction", "git stash push --quiet -- CHANGELOG.md"),
         leaves=f"{BEGUN}|CHANGELOG"),
    Case(mistake="a Dockerfile that is not committed",
         before=("git rm --quiet --cached Dockerfile && git commit --quiet --message Less",
                 "export INVOKE_BUILD_ENGINE=docker AWS_ENDPOINT_URL=http://127.0.0.1:9"),
         typed="inv doctor", code=3, says="problems keep a release from working",
         hint="fix what is listed above, then run inv doctor again",
         lists="commit it: git add Dockerfile && git commit",
         follow=("git add Dockerfile && git commit --quiet --message More", "inv doctor"), leads_to=3),
    Case(mistake="a clone without a remote, on no branch",
         before=("rm kaizen.toml && git remote remove origin && git checkout --quiet --detach",),
         typed="kaizen init --dry", code=0, says="",
         lists="note: there is no git remote to push releases to; add one: git remote add origin URL "
               "note: HEAD is detached; releases are made from main: git switch main "
               "note: please check what was guessed: region, the platform, the names of the environments, "
               "repositories, services; kaizen init --from-aws reads the account instead",
         follow=("git remote add origin ../remote.git", "git switch --quiet main", "kaizen init --from-aws"),
         leads_to=3),  # there are no credentials
    Case(mistake="a pipeline of GitHub for a remote on GitLab",
         before=("rm kaizen.toml && git remote set-url origin git@gitlab.com:team/app.git",),
         typed=f"kaizen init --dry --ci github {FROM}", code=0, says="",
         lists="note: the remote is on gitlab, which does not run this pipeline: kaizen init --ci gitlab",
         follow=(f"kaizen init --ci gitlab {FROM} --yes",)),
    Case(mistake="a published dashboard of a library",
         before=("echo 'app = \"app\"' > kaizen.toml",),
         typed=f"kaizen init --dry --ci github --dashboard {FROM}", code=3,
         says="--dashboard: app has no environments that a dashboard could show",
         hint="leave it out: kaizen init --ci github",
         follow=(f"kaizen init --dry --ci github {FROM}",)),
    Case(mistake="a status without a local cloud",
         typed="inv local.status", code=0, says="", lists="no local cloud is running; start one: inv local.up",
         follow=("inv local.up --help",)),
)  # fmt: skip
