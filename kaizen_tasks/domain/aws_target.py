"""Where the resources of an environment are: account and region, and whose credentials reach them."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class AwsTarget:
    """An account in a region, and whose credentials reach it. Environments with equal targets share their clients.

    Attributes:
        region: such as `eu-west-1`.
        account: twelve digits; empty accepts the account of the credentials.
        role: ARN of the role that is assumed; empty uses the credentials as they are.
        external_id: what the role's trust policy asks for, if it does.
        profile: the profile of `~/.aws/config` with the credentials, or with those that assume the role; empty is the
            default chain of boto3.
    """

    region: str = ""
    account: str = ""
    role: str = ""
    external_id: str = ""
    profile: str = ""

    @property
    def place(self) -> str:
        """The account and the region, as plans and errors name them: `210987654321 (eu-central-1)`."""
        return f"{self.account or 'any account'} ({self.region})"

    def is_beside(self, other: AwsTarget) -> bool:
        """Return whether both are the same account and region, between whose repositories layers are mounted."""
        return (self.account, self.region) == (other.account, other.region)

    def has_credentials_of(self, home: AwsTarget) -> bool:
        """Return whether the credentials of the home reach it, and those of no other profile or role."""
        return self.profile == home.profile and self.role in {"", home.role}
