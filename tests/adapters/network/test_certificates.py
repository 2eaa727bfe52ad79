"""Which certificate authorities are trusted."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from kaizen_tasks.adapters.network.certificates import find_ca_bundle
from kaizen_tasks.errors import ConfigurationError

VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def test_order_of_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, f"/{name}.pem")
    sources = []
    for name in VARIABLES:
        sources.append(find_ca_bundle("/profile.pem").source)
        monkeypatch.delenv(name)

    assert sources == ["AWS_CA_BUNDLE", *["ca_bundle of the AWS profile"] * 3]
    for name in reversed(VARIABLES[1:]):
        monkeypatch.setenv(name, f"/{name}.pem")
        assert str(find_ca_bundle()) == f"/{name}.pem ({name})"


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", " ")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/company.pem")

    assert str(find_ca_bundle()) == "/company.pem (REQUESTS_CA_BUNDLE)"


def test_path_may_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "~/company.pem")

    assert find_ca_bundle().path == str(Path.home() / "company.pem")


class TestWithoutConfiguration:
    @pytest.fixture
    def system(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A system without certificates; returns the folder of its OpenSSL."""
        folder = tmp_path / "certs"
        folder.mkdir()
        paths = ssl.DefaultVerifyPaths(
            cafile="",
            capath=str(folder),
            openssl_cafile_env="",
            openssl_cafile="",
            openssl_capath_env="",
            openssl_capath="",
        )
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
        return folder

    def test_authorities_of_the_system_are_trusted(self, monkeypatch: pytest.MonkeyPatch, system: Path) -> None:
        paths = ssl.get_default_verify_paths()._replace(cafile="/etc/system.pem")
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

        bundle = find_ca_bundle()

        assert str(bundle) == "/etc/system.pem (of the system)"
        assert not bundle.is_configured

    def test_folder_of_certificates_is_left_to_openssl(self, system: Path) -> None:
        (system / "5ad8a5d6.0").touch()

        bundle = find_ca_bundle()

        assert (bundle.path, str(bundle)) == ("", f"the certificates in {system}")

    def test_system_without_certificates_trusts_those_of_botocore(self, system: Path) -> None:
        bundle = find_ca_bundle()

        assert bundle.source == "of botocore, as the system has none"
        assert bundle.create_tls_context().cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"", "holds no certificates"), (b"x", "holds no")]
)
def test_unusable_file_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))

    with pytest.raises(ConfigurationError) as caught:
        find_ca_bundle().create_tls_context()

    assert caught.value.message.startswith(f"CURL_CA_BUNDLE: {path}: {reason}")
    assert caught.value.hint == "correct CURL_CA_BUNDLE, which must name a file of certificates in PEM format"
