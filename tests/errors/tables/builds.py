"""Images that docker cannot build."""

from __future__ import annotations

from tests.errors.case import Case

MEND = (
    "printf 'FROM scratch\\nARG VERSION\\nCOPY app.py /\\n' > Dockerfile && git commit --quiet --all --message Mended"
)


def build_with(dockerfile: str) -> tuple[str, ...]:
    """Return the lines that cut a release with a Dockerfile, which docker builds."""
    return (f"printf '{dockerfile}' > Dockerfile && git commit --quiet --all --message Image",
            "inv cut", "export INVOKE_BUILD_ENGINE=docker")  # fmt: skip


CASES = (
    Case(mistake="a base image that does not exist",
         before=build_with("FROM 127.0.0.1:9/nosuch/base:1\\nARG VERSION\\n"),
         typed="inv build", code=5, says="docker could not build web:v0.1.1: ",
         hint="this machine cannot get what the build needs: check the network, and who may pull the base image",
         follow=(MEND, "inv changelog.add --type fixed --text Image", "git commit --quiet --all --message Note",
                 "inv cut", "inv build")),
    Case(mistake="a step of the build that fails",
         before=build_with('FROM scratch\\nARG VERSION\\nCOPY app.py /\\nRUN ["/nosuch"]\\n'),
         typed="inv build", code=5, says="docker could not build web:v0.1.1: ",
         hint="nothing outside this machine has changed: fix the build and run the same command again",
         follow=(MEND, "inv changelog.add --type fixed --text Image", "git commit --quiet --all --message Note",
                 "inv cut", "inv build"), again=0),
    Case(mistake="a Dockerfile with a typo",
         before=build_with("FROM scratch\\nARG VERSION\\nCOPPY app.py /\\n"),
         typed="inv build", code=5, says="docker could not build web:v0.1.1: ",
         hint="nothing outside this machine has changed: fix the build and run the same command again",
         follow=(MEND, "inv changelog.add --type fixed --text Image", "git commit --quiet --all --message Note",
                 "inv cut", "inv build"), again=0),
)  # fmt: skip
