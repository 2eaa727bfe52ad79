"""What a bundle takes from a Dockerfile."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.build.bundle import BundleConfig, configure_bundle
from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile


def bundle(text: str) -> BundleConfig:
    return configure_bundle(parse_dockerfile(f"FROM x\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ('CMD ["gunicorn", "app:app"]', "gunicorn"),
        ('ENTRYPOINT ["./entrypoint.sh"]\nCMD ["uvicorn"]', "./entrypoint.sh"),
        ("CMD gunicorn app:app", "gunicorn"),
        ("CMD LEVEL=info exec /opt/serve --port $PORT", "/opt/serve"),
        ("CMD cd web && npm start", ""),
        ("CMD $COMMAND", ""),
        ("CMD 'not closed", ""),
        ('SHELL ["/bin/bash", "-ec"]\nCMD x', "x"),
        ('CMD ["sh", "-c", "/app/venv/bin/gunicorn --bind :$PORT main"]', "/app/venv/bin/gunicorn"),
        ('CMD ["sh", "start.sh"]', "sh"),
        ('ENTRYPOINT ["/usr/bin/tini", "-g", "--"]\nCMD ["node", "x.js"]', "node"),
        ('ENTRYPOINT ["dumb-init", "node", "x.js"]', "node"),
        ("", ""),
    ],
)
def test_program_is_the_first_word_that_is_one(text: str, program: str) -> None:
    assert bundle(text).program == program


@pytest.mark.parametrize(
    ("text", "folder"),
    [("WORKDIR /srv/", "/srv"), ("", "/app"), ("COPY . /code", "/"), ("COPY --from=a . /code", "/app")],
)
def test_files_are_in_the_working_directory_or_where_they_are_copied(text: str, folder: str) -> None:
    assert bundle(text).workdir == folder


def test_values_of_earlier_stages_are_inherited() -> None:
    config = configure_bundle(
        parse_dockerfile("FROM x AS a\nCOPY a /b\nEXPOSE 1\nENV A=1\nFROM a\nCOPY --from=c d /e\n")
    )

    assert (config.env, config.exposed_ports, config.base) == ({"A": "1"}, (1,), "x")
    assert [copied.destination for copied in config.copied] == ["/b"]
    assert config.made_by == {"/e": ("stage c", 6)}


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ('COPY --from=a /x /app/dist\nCMD ["node", "/app/dist/index.js"]', ("/app/dist/index.js",)),
        ('WORKDIR /app\nCOPY --from=a /x ./dist\nCMD ["node", "dist/index.js"]', ("/app/dist/index.js",)),
        ('WORKDIR /app\nCOPY --from=a /x x.jar\nCMD ["java", "-jar", "x.jar"]', ("/app/x.jar",)),
        ('WORKDIR /app\nCOPY --from=a /x .\nCMD ["gunicorn", "main.wsgi", "https://x/y"]', ()),
        ('COPY x /app/dist\nCMD ["node", "/app/dist/index.js"]', ()),
    ],
)
def test_arguments_that_another_stage_makes_are_known(text: str, files: tuple[str, ...]) -> None:
    assert bundle(text).unbuilt_files == files
