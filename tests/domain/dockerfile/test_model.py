"""What a Dockerfile mounts."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile


@pytest.mark.parametrize(
    ("run", "secrets"),
    [
        ("RUN true", ()),
        ("RUN --mount=type=cache,target=/root/.cache pip install", ()),
        ("RUN --mount=type=secret,id=npm npm ci", ("npm",)),
        ("RUN --mount=id=npm,type=secret,required npm ci", ("npm",)),
        ("RUN --mount=type=secret,target=/root/.netrc curl", (".netrc",)),
        ("RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=B x\nRUN --mount=type=secret,id=a y", ("a", "b")),
        ("# RUN --mount=type=secret,id=old true", ()),
    ],
)
def test_names_the_secrets_that_it_mounts(run: str, secrets: tuple[str, ...]) -> None:
    assert parse_dockerfile(f"FROM scratch AS base\n{run}\nFROM scratch\n").secrets == secrets


def test_names_what_only_buildkit_understands() -> None:
    text = """FROM scratch
COPY --chown=1 --link a b
RUN <<-EOF
\tone
EOF
ADD --chmod=755 c d
COPY --link --from=0 e f
"""

    assert parse_dockerfile(text).buildkit_features == (
        "COPY --link in line 2",
        "RUN << in line 3",
        "ADD --chmod in line 6",
    )
    assert parse_dockerfile("FROM scratch\nCOPY --chown=1 a b\nRUN true\n").buildkit_features == ()
