"""Values for variables of which only the name is known: of the right type, and leading nowhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

NOWHERE = "127.0.0.1:1"
"""An address that refuses connections at once: nothing listens on port 1 (tcpmux, RFC 1078)."""

KEY = base64.urlsafe_b64encode(b"made up for a rehearsal, secret!").decode()
"""Text for keys and passwords; as 32 bytes in Base64 it is a valid key of Fernet as well."""

_CLAIMS = f"made-up:made-up@{NOWHERE}"

PATTERNS: Sequence[tuple[str, str]] = (
    (r"(.*_)?SENTRY.*DSN", f"http://made-up@{NOWHERE}/1"),
    (r"(.*_)?(MONGO(DB)?|DOCUMENTDB).*(URL|URI|DSN)", f"mongodb://{_CLAIMS}/made_up"),
    (r"(.*_)?(MYSQL|MARIADB).*(URL|URI|DSN)", f"mysql://{_CLAIMS}/made_up"),
    (r"(.*_)?(REDIS|VALKEY|CACHE|CELERY|RESULT_BACKEND|BROKER).*(URL|URI|DSN|BACKEND)", f"redis://{NOWHERE}/0"),
    (r"(.*_)?(AMQP|RABBIT(MQ)?|CLOUDAMQP).*(URL|URI)", f"amqp://{_CLAIMS}/"),
    (r"(.*_)?(SMTP|EMAIL|MAIL).*(URL|DSN)", f"smtp://{_CLAIMS}"),
    (r"(.*_)?(DATABASE|DB|POSTGRES(QL)?|PG|SQLALCHEMY).*(URL|URI|DSN)|(.*_)?DSN", f"postgresql://{_CLAIMS}/made_up"),
    (r"(.*_)?(URL|URI|ENDPOINT|ORIGINS?|WEBHOOK|DOMAIN)", f"http://{NOWHERE}"),
    (r"(.*_)?ALLOWED_HOSTS", "*"),
    (r"(.*_)?(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)", "127.0.0.1"),
    (r"(.*_)?PORT", "1"),
    (r"(.*_)?(EMAIL|MAIL_FROM|FROM_ADDRESS|RECIPIENT|SENDER)", "made-up@example.com"),
    (r".*(_JSON|JSON_.*)", "{}"),
    (r"LOG_?LEVEL|.*_LOG_?LEVEL", "INFO"),
    (
        r"DEBUG|TESTING|(IS|HAS|USE|ENABLE|DISABLE|ALLOW|SKIP|FORCE)_.*|.*_(ENABLED|DISABLED|DEBUG|VERIFY|SECURE)",
        "false",
    ),
    (r"(.*_)?(SECONDS?|MINUTES?|HOURS?|DAYS?|MS|TIMEOUT|TTL|DELAY|INTERVAL|RETRIES|ATTEMPTS)", "1"),
    (r"(.*_)?(LIMIT|SIZE|COUNT|WORKERS|THREADS|CONCURRENCY|TEMPERATURE|RATE|RATIO|THRESHOLD|MAX|MIN|NUM)", "1"),
    (r"(.*_)?(MAX|MIN|NUM)_.*", "1"),
    (r".*_(ID|NUMBER|VERSION)", "1"),
    (r"(.*_)?(TIME_?ZONE|TZ)", "UTC"),
    (r"(.*_)?(DIR|DIRECTORY|FOLDER|PATH)", "/tmp"),  # noqa: S108 - a folder that every image has
    (r".*(KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|SALT|CREDENTIALS?)", KEY),
)
"""Patterns of names in capital letters, and a value that a program accepts; the first one that fits decides."""

DEFAULT_VALUE = "made-up"


def made_up_value(name: str, *, region: str = "") -> str:
    """Return a value for a variable with this name.

    Args:
        name: the variable's name: `DATABASE_URL`.
        region: what a variable for a region gets.
    """
    upper = name.upper()
    if region and upper.endswith("REGION"):
        return region
    return next((value for pattern, value in PATTERNS if re.fullmatch(pattern, upper)), DEFAULT_VALUE)
