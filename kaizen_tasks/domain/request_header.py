"""Headers of requests to the app: their names, the characters of their values, and where secret values come from."""

from __future__ import annotations

import re

from attrs import frozen

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Name of a header; https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2."""

HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""Characters that a header may have: no line ends, which could smuggle in another header."""


@frozen(kw_only=True)
class SecretHeader:
    """A table below `[verify.headers]`, whose name is the header's: where the header's value is.

    Attributes:
        env: the environment variable with the value; when it is not set, `secret` is read. Example: "PROBE_TOKEN"
        secret: name of the secret with the value; `{env}` and `{app}` are filled in. Example: "{env}-coach-probe"
        key: JSON pointer (RFC 6901) of the value, in a secret that is JSON. Example: "/PROBE_TOKEN"
        prefix: text in front of the value. Example: "Bearer "
    """

    env: str = ""
    secret: str = ""
    key: str = ""
    prefix: str = ""

    def secret_name(self, environment: str, app: str) -> str:
        """Return the name of the secret of an environment."""
        return self.secret.replace("{env}", environment).replace("{app}", app)
