"""Certificates for servers on loopback: self-signed ones, and those of an authority of our own."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, Name


@frozen
class Authority:
    """A certificate authority, as a company has one.

    Attributes:
        bundle: the file with its certificate, which clients are to trust.
        server: TLS of a server whose certificate it has signed.
    """

    bundle: Path
    server: ssl.SSLContext


def create_authority(folder: Path, *names: str) -> Authority:
    """Create an authority, and a server's certificate for host names and for 127.0.0.1."""
    key, server_key = _new_key(), _new_key()
    name = f"Authority of {folder.name}"
    certificate = _sign(name, key, key, name, (), is_authority=True)
    bundle, server = folder / "authority.pem", folder / "signed.pem"
    bundle.write_bytes(_pem(certificate))
    signed = _sign("server", server_key, key, name, names, is_authority=False)
    server.write_bytes(_private_pem(server_key) + _pem(signed))
    return Authority(bundle, server_context(server))


def self_signed(folder: Path) -> Path:
    """Write a key with a self-signed certificate, and return the file."""
    key = _new_key()
    path = folder / "server.pem"
    path.write_bytes(_private_pem(key) + _pem(_sign("localhost", key, key, "localhost", (), is_authority=None)))
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    """Return TLS for a server with a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _sign(
    subject: str,
    key: EllipticCurvePrivateKey,
    issuer_key: EllipticCurvePrivateKey,
    issuer: str,
    names: tuple[str, ...],
    *,
    is_authority: bool | None,
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC)
    alternatives = [*map(x509.DNSName, names), x509.IPAddress(ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder(
        _name(issuer),
        _name(subject),
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(hours=1),
        now + timedelta(days=1),
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    if is_authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
