"""Settings of TLS as they stand in files and the environment."""

from pathlib import Path

import pytest

from supersoniq.config import ConfigError, load


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "a.pem"
    path.write_text("")
    return path


def complaint(environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load({}, environ)
    return str(caught.value)


def test_there_is_no_tls_unless_there_is_a_certificate() -> None:
    assert load({}, {}).settings.tls_certificate is None


def test_file_of_settings_has_tables_by_name(tmp_path: Path, pem: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        f"tls_certificate = '{pem}'\n"
        "tls_versions = [1.3]\n"
        f"[tls_certificates.'*.Example.com']\ncertificate = '{pem}'\nkey = '{pem}'\nkey_password = 's3cret'\n"
    )
    loaded = load({}, {}, path)
    assert loaded.settings.tls_versions == ["1.3"]
    pair = loaded.settings.tls_certificates["*.example.com"]
    assert (pair.certificate, pair.key) == (pem, pem)
    assert "s3cret" not in f"{loaded} {loaded.shown()} {pair!r}"


def test_environment_names_one_file_or_is_json(pem: Path) -> None:
    short = {"SUPERSONIQ_TLS_CERTIFICATES": f"a.example.com:{pem}", "SUPERSONIQ_TLS_VERSIONS": "tlsv1.2,1.3"}
    settings = load({}, short).settings
    assert settings.tls_certificates["a.example.com"].certificate == pem
    assert settings.tls_versions == ["1.2", "1.3"]
    long = {"SUPERSONIQ_TLS_CERTIFICATES": f'{{"b": {{"certificate": "{pem}", "key": "{pem}"}}}}'}
    assert load({}, long).settings.tls_certificates["b"].key == pem


def test_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert complaint({"SUPERSONIQ_TLS_CERTIFICATE": str(missing)}) == (
        f"tls_certificate = {missing} (SUPERSONIQ_TLS_CERTIFICATE): expected a file, found nothing"
    )


@pytest.mark.parametrize("name", ["", "*", "a.*", "*.*.example.com", ".example.com"])
def test_name_that_is_none_is_refused(pem: Path, name: str) -> None:
    said = complaint({"SUPERSONIQ_TLS_CERTIFICATES": f'{{"{name}": "{pem}"}}'})
    assert said.endswith("expected names of hosts, where *.example.com stands for one more label")


def test_version_that_is_too_old_is_refused() -> None:
    assert complaint({"SUPERSONIQ_TLS_VERSIONS": "1.1"}) == (
        "tls_versions = 1.1 (SUPERSONIQ_TLS_VERSIONS): expected '1.2' or '1.3'"
    )
    assert "expected at least 1 item" in complaint({"SUPERSONIQ_TLS_VERSIONS": ""})


def test_password_is_not_in_complaints(pem: Path) -> None:
    said = complaint(
        {"SUPERSONIQ_TLS_CERTIFICATES": f'{{"a": {{"certificate": "{pem}", "key_pasword": "s3cret"}}}}'}
    )
    assert said.startswith("tls_certificates = **** (SUPERSONIQ_TLS_CERTIFICATES): ")
    assert "s3cret" not in said
