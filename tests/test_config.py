"""Settings: sources and their order, what is refused, and that no text gives a password away."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from supersoniq.config import ConfigError, Settings, default_data_dir, load

REFERENCE = Path(__file__).parent.parent / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def complaint(flags: dict[str, object] | None = None, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(flags or {}, environ or {})
    return str(caught.value)


def test_without_sources_everything_is_default() -> None:
    loaded = load({}, {})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert set(loaded.origins) == set(Settings.model_fields)


def test_later_sources_win_and_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", "port = 1\nheartbeat_seconds = 1\nchannel_max = 1\n")
    environ = {"SUPERSONIQ_PORT": "2", "SUPERSONIQ_HEARTBEAT_SECONDS": "2"}
    loaded = load({"port": 3}, environ, path)
    settings = loaded.settings
    assert (settings.port, settings.heartbeat_seconds, settings.channel_max) == (3, 2, 1)
    origins = [loaded.origins[key] for key in ("port", "heartbeat_seconds", "channel_max", "vhosts")]
    assert origins == ["--port", "SUPERSONIQ_HEARTBEAT_SECONDS", str(path), "default"]


def test_file_of_the_working_directory_is_read(empty_directory: Path) -> None:
    write(empty_directory / "supersoniq.toml", "port = 4")
    assert load({}, {}).settings.port == 4


def test_given_file_replaces_that_of_the_working_directory(empty_directory: Path) -> None:
    write(empty_directory / "supersoniq.toml", "port = 4")
    other = write(empty_directory / "other.toml", "channel_max = 7")
    assert load({}, {}, other).settings.port == Settings().port


def test_settings_made_directly_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERSONIQ_PORT", "1")
    monkeypatch.setenv("PORT", "1")
    assert Settings().port == 5672


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_flags_that_were_not_given_change_nothing() -> None:
    loaded = load({"port": None, "host": []}, {"SUPERSONIQ_PORT": "1"})
    assert (loaded.settings.port, loaded.origins["host"]) == (1, "default")


@pytest.mark.parametrize("text", ["0.0.0.0,::", " 0.0.0.0 , ::", '["0.0.0.0", "::"]'])
def test_list_in_the_environment_is_commas_or_json(text: str) -> None:
    assert load({}, {"SUPERSONIQ_HOST": text}).settings.host == ["0.0.0.0", "::"]


def test_single_host_needs_no_list(tmp_path: Path) -> None:
    assert load({}, {}, write(tmp_path / "a.toml", 'host = "::"')).settings.host == ["::"]


@pytest.mark.parametrize("text", ["ann:a:b, bob:c", '{"ann": "a:b", "bob": "c"}'])
def test_users_in_the_environment_are_pairs_or_json(text: str) -> None:
    users = load({}, {"SUPERSONIQ_USERS": text}).settings.users
    passwords = {name: password.get_secret_value() for name, password in users.items()}
    assert passwords == {"ann": "a:b", "bob": "c"}


def test_tables_of_the_file_are_users_and_log_levels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", '[users]\nann = "s"\n[log_levels]\n"supersoniq.session" = "DEBUG"\n')
    settings = load({}, {}, path).settings
    assert settings.users["ann"].get_secret_value() == "s"
    assert settings.log_levels == {"supersoniq.session": "debug"}


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"PORT": "70000"}, "port = 70000 (SUPERSONIQ_PORT): expected less than or equal to 65535"),
        ({"PORT": "x"}, "port = x (SUPERSONIQ_PORT): expected a valid integer"),
        ({"FRAME_MAX_BYTES": "1"}, "frame_max_bytes = 1 (SUPERSONIQ_FRAME_MAX_BYTES): expected greater"),
        ({"LOG_LEVEL": "loud"}, "log_level = loud (SUPERSONIQ_LOG_LEVEL): expected 'debug', 'info'"),
        ({"HOST": ""}, "host =  (SUPERSONIQ_HOST): expected at least 1 item"),
        ({"MEMORY_LIMIT": "half"}, "memory_limit = half (SUPERSONIQ_MEMORY_LIMIT): expected a share"),
        ({"MEMORY_LIMIT": "101%"}, "memory_limit = 101% (SUPERSONIQ_MEMORY_LIMIT): expected at most 100%"),
        (
            {"DISK_FREE_LIMIT": "5%"},
            "disk_free_limit = 5% (SUPERSONIQ_DISK_FREE_LIMIT): expected a size (50MB",
        ),
        ({"QUEUE_MEMORY": "lots"}, "queue_memory = lots (SUPERSONIQ_QUEUE_MEMORY): expected a size"),
        (
            {"QUEUE_MEMORY": "63KiB"},
            "queue_memory = 63KiB (SUPERSONIQ_QUEUE_MEMORY): expected at least 64KiB",
        ),
        (
            {"JOURNAL_FILE_BYTES": "16 sheets"},
            "journal_file_bytes = 16 sheets (SUPERSONIQ_JOURNAL_FILE_BYTES",
        ),
        (
            {"JOURNAL_FILE_BYTES": "1k"},
            "journal_file_bytes = 1k (SUPERSONIQ_JOURNAL_FILE_BYTES): expected greate",
        ),
        (
            {"SYNC": "sometimes"},
            "sync = sometimes (SUPERSONIQ_SYNC): expected 'always', 'interval' or 'never'",
        ),
        (
            {"SYNC_INTERVAL_MS": "0"},
            "sync_interval_ms = 0 (SUPERSONIQ_SYNC_INTERVAL_MS): expected greater than",
        ),
        ({"LOG_LEVELS": "debug"}, "log_levels = debug (SUPERSONIQ_LOG_LEVELS): expected name:value"),
        ({"VHOSTS": "[1"}, "vhosts = [1 (SUPERSONIQ_VHOSTS): expected JSON: "),
    ],
)
def test_wrong_value_is_one_line_of_key_value_place_expectation(environ: dict[str, str], line: str) -> None:
    said = complaint(environ={"SUPERSONIQ_" + key: value for key, value in environ.items()})
    assert said.startswith(line)
    assert "\n" not in said


def test_wrong_value_of_a_flag_or_file_names_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", "channel_max = 0")
    assert complaint({"port": -1}).startswith("port = -1 (--port): ")
    with pytest.raises(ConfigError, match=r"channel_max = 0 \(.*a\.toml\): "):
        load({}, {}, path)


def test_data_dir_must_not_be_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "file", "")
    assert complaint({"data_dir": path}).endswith("(--data-dir): expected a directory, found a file")


def test_definitions_are_a_file_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "definitions.json", "{}")
    assert load({}, {"SUPERSONIQ_LOAD_DEFINITIONS": str(path)}).settings.load_definitions == path
    assert load({}, {}).settings.load_definitions is None
    assert complaint(environ={"SUPERSONIQ_LOAD_DEFINITIONS": "missing.json"}) == (
        "load_definitions = missing.json (SUPERSONIQ_LOAD_DEFINITIONS): expected a file, found nothing"
    )
    assert "found something else" in complaint(environ={"SUPERSONIQ_LOAD_DEFINITIONS": str(tmp_path)})


def test_unknown_names_are_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    assert complaint(environ={"SUPERSONIQ_POTR": "1"}) == (
        "unknown setting SUPERSONIQ_POTR: did you mean SUPERSONIQ_PORT?"
    )
    path = write(tmp_path / "a.toml", "heartbeat = 1")
    with pytest.raises(
        ConfigError, match=r"unknown setting heartbeat in .*: did you mean heartbeat_seconds\?"
    ):
        load({}, {}, path)


def test_unknown_name_like_nothing_points_to_the_command_that_lists_all() -> None:
    assert complaint(environ={"SUPERSONIQ_ZZZ": "1"}).endswith("`supersoniq config` lists the settings")


def test_variables_of_the_build_and_of_others_are_ignored() -> None:
    environ = {"SUPERSONIQ_PURE": "1", "SUPERSONIQ_COMPILED": "1", "PORT": "1", "XSUPERSONIQ_PORT": "1"}
    assert load({}, environ).settings == Settings()


def test_service_links_of_kubernetes_are_ignored() -> None:
    link = "tcp://10.0.0.1:5672"
    environ = {
        "SUPERSONIQ_PORT": link,
        "SUPERSONIQ_PORT_5672_TCP": link,
        "SUPERSONIQ_PORT_5672_TCP_ADDR": "10.0.0.1",
        "SUPERSONIQ_SERVICE_HOST": "10.0.0.1",
        "SUPERSONIQ_SERVICE_PORT_AMQP": "5672",
    }
    assert load({}, environ).settings == Settings()


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("port =", "is not TOML: "),
        ("port = 1\nport = 2", "is not TOML: "),
    ],
)
def test_file_that_is_not_toml_is_one_line(tmp_path: Path, text: str, end: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {}, write(tmp_path / "a.toml", text))
    assert end in str(caught.value)
    assert "\n" not in str(caught.value)


def test_given_file_must_exist_and_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        load({}, {}, tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is not a file"):
        load({}, {}, tmp_path)


@pytest.mark.parametrize("text", ["s3cret", '{"ann": ["s3cret"]}', '{"ann": "s3cret', '["s3cret"]'])
def test_passwords_are_not_in_complaints(text: str) -> None:
    said = complaint(environ={"SUPERSONIQ_USERS": text})
    assert said.startswith("users = **** (SUPERSONIQ_USERS): ")
    assert "s3cret" not in said


def test_passwords_are_not_shown() -> None:
    loaded = load({}, {"SUPERSONIQ_USERS": "ann:s3cret"})
    assert "s3cret" not in f"{loaded} {loaded.shown()} {loaded.settings!r}"


def test_sizes_may_be_numbers(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.toml",
        "memory_limit = 1500000\nqueue_memory = 70000\ndisk_free_limit = 0\njournal_file_bytes = 65536\n",
    )
    settings = load({}, {}, path).settings
    assert (settings.memory_limit, settings.queue_memory, settings.disk_free_limit) == (
        "1500000",
        "70000",
        "0",
    )
    assert settings.journal_file_bytes == 65536


def test_journal_file_has_a_size_with_or_without_a_unit() -> None:
    assert load({}, {"SUPERSONIQ_JOURNAL_FILE_BYTES": "32MiB"}).settings.journal_file_bytes == 2**25
    assert load({}, {"SUPERSONIQ_JOURNAL_FILE_BYTES": "65536"}).settings.journal_file_bytes == 65536


def test_messages_are_synced_before_their_confirm_unless_said_otherwise() -> None:
    assert Settings().sync == "always"
    assert load({}, {"SUPERSONIQ_SYNC": "Interval"}).settings.sync == "interval"


def test_reference_has_every_setting_and_no_other() -> None:
    page = REFERENCE.read_text(encoding="utf-8")
    table = page.partition("\n| setting |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[1:]]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(Settings.model_fields)


def test_default_data_dir_follows_xdg() -> None:
    assert default_data_dir({"XDG_STATE_HOME": "/state"}) == Path("/state/supersoniq")
    assert default_data_dir({}) == Path.home() / ".local" / "state" / "supersoniq"
