"""Where AWS credentials come from does not give any; nothing is asked over the network."""

from __future__ import annotations

from tests.errors.case import Case

ROLE = "role_arn = arn:aws:iam::123456789012:role/release"
KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = example"
SSO = "sso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start"


def configure(text: str) -> tuple[str, ...]:
    """Return the lines that write the configuration of AWS, and name it."""
    return (f"echo '{text}' > ../config", "export AWS_CONFIG_FILE=$PWD/../config")


CASES = (
    Case(mistake="a profile with a typo",
         before=(*configure(f"[profile work]\n{KEYS}"), "export AWS_PROFILE=wrok",
                 "export AWS_ENDPOINT_URL=http://127.0.0.1:9"),
         typed="inv status", code=3, says="The config profile (wrok) could not be found",
         hint="use the nearest profile: export AWS_PROFILE=work", again=3),  # nothing answers at the endpoint
    Case(mistake="a login that has expired",
         before=configure(f"[default]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = release\n"
                          f"[sso-session work]\n{SSO}"),
         typed="inv status", code=3, says="cannot check the AWS credentials: Error loading SSO Token",
         hint="log in again: aws sso login",
         follow=("unset AWS_CONFIG_FILE",), again=3),
    Case(mistake="a login of a profile that has expired",
         before=(*configure(f"[profile work]\nsso_account_id = 123456789012\nsso_role_name = release\n{SSO}"),
                 "export AWS_PROFILE=work"),
         typed="inv status", code=3, says="cannot check the AWS credentials: Error loading SSO Token",
         hint="log in again: aws sso login --profile work",
         follow=("unset AWS_PROFILE",), again=3),
    Case(mistake="a token of CI that is not there",
         before=("export AWS_WEB_IDENTITY_TOKEN_FILE=/nosuch AWS_ROLE_ARN=arn:aws:iam::123456789012:role/release",),
         typed="inv status", code=3, says="AWS_WEB_IDENTITY_TOKEN_FILE: /nosuch: No such file or directory",
         hint="correct or unset AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
         follow=("unset AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN",), again=3),  # then there are none
    Case(mistake="a container that gives no credentials",
         before=("export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://elsewhere.example/",),
         typed="inv status", code=3, says="Unsupported host 'elsewhere.example'",
         hint="correct or unset AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
         follow=("unset AWS_CONTAINER_CREDENTIALS_FULL_URI",), again=3),
    Case(mistake="a program for credentials that fails",
         before=configure("[default]\ncredential_process = ls /nosuch"),
         typed="inv status", code=3, says="Error when retrieving credentials from custom-process: ls: cannot access",
         hint="correct credential_process, or see what it says: aws sts get-caller-identity", leads_to=255),
    Case(mistake="a role with MFA and no terminal",
         before=configure(f"[default]\n{ROLE}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/ada\n"
                          f"[profile base]\n{KEYS}"),
         typed="setsid inv status", code=3,
         says="the AWS profile wants an MFA code of arn:aws:iam::123456789012:mfa/ada",
         hint='use a terminal, a role without MFA, or: eval "$(aws configure export-credentials --format env)"',
         follow=("unset AWS_CONFIG_FILE",), again=3),
)  # fmt: skip
