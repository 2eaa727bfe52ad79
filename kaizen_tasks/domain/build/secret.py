"""The sources of the secrets that a build may read."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class BuildSecret:
    """A table below `[build.secrets]`, whose name is the secret's id: where the secret's value is.

    Attributes:
        env: the environment variable with the value. Example: "NPM_TOKEN"
        file: path of the file with the value, in place of `env`: relative to the app's folder, or below `~`, the home.
            Example: ""
    """

    env: str = ""
    file: str = ""
