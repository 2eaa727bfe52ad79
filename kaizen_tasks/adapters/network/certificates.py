"""The certificate authorities that connections trust: those of a variable, of the AWS profile, or of the system."""

from __future__ import annotations

import os
import ssl
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from kaizen_tasks.errors import ConfigurationError

PROFILE_SETTING = "ca_bundle of the AWS profile"
SYSTEM = "of the system"


@frozen(kw_only=True)
class CaBundle:
    """A file with the certificates of authorities.

    Attributes:
        path: the file; empty for the certificates in OpenSSL's folder, which AWS clients do not read.
        source: the variable or setting that names it, or whose certificates they are.
        is_configured: whether a variable or setting names it.
    """

    path: str
    source: str
    is_configured: bool = False

    def __str__(self) -> str:
        return f"{self.path} ({self.source})" if self.path else f"the certificates {self.source}"

    def create_tls_context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts these authorities.

        Raises:
            ConfigurationError: the file is missing, or is not one of certificates.
        """
        try:
            context = ssl.create_default_context(cafile=self.path or None)
        except OSError as error:  # ssl.SSLError among them
            reason = "holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror
            hint = f"correct {self.source}, which must name a file of certificates in PEM format"
            raise ConfigurationError((f"{self.source}: {self.path}: {reason}",), hint=hint) from error
        context.set_alpn_protocols(["http/1.1"])
        return context


def find_ca_bundle(profile_bundle: str = "") -> CaBundle:
    """Return the authorities to trust.

    Args:
        profile_bundle: `ca_bundle` of the AWS profile, or empty.
    """
    candidates = {
        "AWS_CA_BUNDLE": os.environ.get("AWS_CA_BUNDLE", ""),
        PROFILE_SETTING: profile_bundle,
        **{name: os.environ.get(name, "") for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")},
    }
    for source, path in candidates.items():
        if path.strip():
            return CaBundle(path=str(Path(path.strip()).expanduser()), source=source, is_configured=True)
    return _system_bundle()


def _system_bundle() -> CaBundle:
    """Return the system's authorities, or those that botocore brings along for a system without any."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return CaBundle(path=paths.cafile, source=SYSTEM)
    if paths.capath and any(Path(paths.capath).iterdir()):
        return CaBundle(path="", source=f"in {paths.capath}")
    spec = find_spec("botocore")
    assert spec is not None
    assert spec.origin is not None
    return CaBundle(path=str(Path(spec.origin).with_name("cacert.pem")), source="of botocore, as the system has none")
