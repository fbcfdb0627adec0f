"""Which node is meant: flags, environment, configuration file, default, in this order."""

from pathlib import Path

import pytest

from supersoniq.cli.remote.endpoint import Where, WrongEndpoint, endpoint_of, locate, with_credentials
from supersoniq.cli.remote.http import Endpoint


@pytest.mark.parametrize(
    ("where", "environ", "path"),
    [
        (Where(data_dir="/flag"), {"SUPERSONIQ_DATA_DIR": "/environment"}, "/flag"),
        (Where(), {"SUPERSONIQ_DATA_DIR": "/environment"}, "/environment"),
        (Where(config="own.toml"), {"SUPERSONIQ_DATA_DIR": "/environment"}, "/environment"),
        (Where(config="own.toml"), {}, "/own"),
        (Where(), {"XDG_STATE_HOME": "/state"}, "/here"),
    ],
)
def test_socket_is_in_the_data_directory_that_serve_would_use(
    where: Where, environ: dict[str, str], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text("data_dir = '/own'\n")
    (tmp_path / "supersoniq.toml").write_text("data_dir = '/here'\n")
    monkeypatch.chdir(tmp_path)
    assert locate(where, environ) == Endpoint(path=f"{path}/control.sock")


def test_default_is_that_of_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from supersoniq.config import default_data_dir

    monkeypatch.chdir(tmp_path)
    for environ in ({"XDG_STATE_HOME": "/state"}, {}):
        assert locate(Where(), environ).path == str(default_data_dir(environ) / "control.sock")


@pytest.mark.parametrize(
    ("where", "environ"),
    [
        (Where(url="http://a:b@h/"), {"SUPERSONIQ_URL": "http://other"}),
        (Where(), {"SUPERSONIQ_URL": "http://a:b@h", "SUPERSONIQ_DATA_DIR": "/d"}),
    ],
)
def test_url_goes_before_a_directory(where: Where, environ: dict[str, str]) -> None:
    assert locate(where, environ) == Endpoint(host="h", port=15672, authorization="Basic YTpi")


def test_data_dir_flag_goes_before_the_url_of_the_environment() -> None:
    assert locate(Where(data_dir="/d"), {"SUPERSONIQ_URL": "http://h"}).path == "/d/control.sock"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:15673", Endpoint(host="127.0.0.1", port=15673)),
        ("https://h/mq/api/", Endpoint(host="h", port=15672, prefix="/mq", is_tls=True)),
        ("http://[::1]:1", Endpoint(host="::1", port=1)),
        ("http://a%40b:p%3Aw%2F@h", Endpoint(host="h", port=15672, authorization="Basic YUBiOnA6dy8=")),
    ],
)
def test_url_has_everything(url: str, endpoint: Endpoint) -> None:
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize("url", ["h:15672", "amqp://h", "http://", "http://h:port", "http://h:99999"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(WrongEndpoint, match="expected a URL as in http://user:password@host:15672"):
        endpoint_of(url)


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "does not exist"), ("=", "is not TOML: "), (b"\xff", "is not TOML: ")],
)
def test_config_file_that_cannot_be_used_is_named(
    text: str | bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(WrongEndpoint, match=f"^config file {path} {reason}"):
        locate(Where(config=str(path)), {})


def test_other_credentials_leave_the_place() -> None:
    assert with_credentials(Endpoint(path="/s"), "a", "b") == Endpoint(path="/s", authorization="Basic YTpi")
