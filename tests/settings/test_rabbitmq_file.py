"""Lines of rabbitmq.conf: what RabbitMQ's own reader makes of them, and what is refused."""

from pathlib import Path

import pytest

from supersoniq.settings.rabbitmq_file import Line, RabbitMQConfError, read_lines


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def pairs(path: Path) -> dict[str, str]:
    return {line.key: line.value for line in read_lines(path, {})}


def test_lines_are_read_as_rabbitmq_reads_them(tmp_path: Path) -> None:
    text = (
        "# comment\n## c2\n\nheartbeat = 10 # inline comment\na.b= x y z  \na.c =with#hash\n"
        'a.e = "dq"\n indented = 1\na.f = x = y\na.b = second\na.h = x # y # z\na.i = ünï\na-b_c.1 = 1\n'
    )
    assert pairs(write(tmp_path / "a.conf", text)) == {
        "heartbeat": "10",
        "a.c": "with",
        "a.e": '"dq"',
        "indented": "1",
        "a.f": "x = y",
        "a.b": "second",
        "a.h": "x",
        "a.i": "ünï",
        "a-b_c.1": "1",
    }


def test_value_in_quotes_may_have_a_hash(tmp_path: Path) -> None:
    assert pairs(write(tmp_path / "a.conf", "default_pass = 'se#cret' # mine\n")) == {
        "default_pass": "se#cret"
    }


@pytest.mark.parametrize("line", ["a b = 1", "x =", "x", "= 1", "a..b = 1", "x = # y"])
def test_line_that_makes_no_sense_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "a.conf", f"a = 1\n{line}\n")
    with pytest.raises(RabbitMQConfError) as caught:
        read_lines(path, {})
    assert str(caught.value) == f"{path}:2: expected key = value"


def test_files_of_conf_d_come_after_the_file_beside_it_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "rabbitmq.conf", "a = 1\nb = 1\nc = 1\n")
    write(tmp_path / "conf.d" / "20-late.conf", "c = 3\n")
    early = write(tmp_path / "conf.d" / "10-early.conf", "\nb = 2\nc = 2\n")
    write(tmp_path / "conf.d" / "readme.txt", "nonsense")
    assert pairs(path) == {"a": "1", "b": "2", "c": "3"}
    assert pairs(tmp_path / "conf.d") == {"b": "2", "c": "3"}
    assert Line("b", "2", early, 2) in read_lines(path, {})
    assert Line("b", "2", early, 2).place == f"{early}:2"


def test_value_may_name_a_variable(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conf", "user = $(NAME)-$(NAME)\n")
    assert read_lines(path, {"NAME": "ann"})[0].value == "ann-ann"
    with pytest.raises(RabbitMQConfError, match=r"a.conf:1: there is no variable NAME in the environment"):
        read_lines(path, {})


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RabbitMQConfError, match=r"missing.conf does not exist"):
        read_lines(tmp_path / "missing.conf", {})
    with pytest.raises(RabbitMQConfError, match="/dev/null is neither file nor directory"):
        read_lines(Path("/dev/null"), {})
    path = tmp_path / "a.conf"
    path.write_bytes(b"a = \xff\n")
    with pytest.raises(RabbitMQConfError, match="it is not UTF-8"):
        read_lines(path, {})
