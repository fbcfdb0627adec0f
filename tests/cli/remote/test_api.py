"""Paths, pages and errors of the management API."""

import errno
import os
import socket
from pathlib import Path

import pytest
from tests.cli.fake_node import Asked, FakeNode

from supersoniq.cli.remote.api import Api, Missing, Refused, Unreachable, quoted, unreachable
from supersoniq.cli.remote.http import Endpoint


@pytest.fixture
def api(node: FakeNode) -> Api:
    return Api(Endpoint(path=str(node.directory / "control.sock")), 10)


def test_parts_of_a_path_are_quoted(node: FakeNode, api: Api) -> None:
    node.get("queues///a b/ä%", {"name": "x"})
    assert api.get("queues", "/", "a b/ä%", columns="name", none=None) == {"name": "x"}
    assert node.asked[0].query == "columns=name"


def test_quoting_is_that_of_rfc_3986() -> None:
    assert quoted("aZ9-._~ /ä\n") == "aZ9-._~%20%2F%C3%A4%0A"


def test_words_of_a_query_are_those_of_rabbitmq(node: FakeNode, api: Api) -> None:
    node.accepts("DELETE", "queues///q")
    api.delete("queues", "/", "q", if_empty=True, if_unused=None, use_regex=False)
    assert node.asked[0].query == "if-empty=true&use_regex=false"


def test_bodies_are_json(node: FakeNode, api: Api) -> None:
    node.accepts("PUT", "vhosts/v")
    node.accepts("POST", "x", {"routed": True})
    assert api.put("vhosts", "v") is None
    assert api.post("x", body=[1, "ä"]) == {"routed": True}
    assert node.changes() == [("PUT", "vhosts/v", {}), ("POST", "x", [1, "ä"])]
    assert node.asked[1].headers["content-type"] == "application/json"


def test_all_pages_are_listed(node: FakeNode, api: Api) -> None:
    def page(asked: Asked) -> tuple[int, object]:
        number = int(asked.query.split("page=")[1].split("&")[0])
        return 200, {"items": [{"name": number}], "page_count": 3}

    node.answers["GET", "queues"] = page
    assert api.listed("queues", name="x") == [{"name": 1}, {"name": 2}, {"name": 3}]
    assert node.asked[0].query == "page=1&page_size=500&name=x"


def test_listing_without_pages_is_one(node: FakeNode, api: Api) -> None:
    node.get("vhosts", [1, 2])
    assert api.listed("vhosts") == [1, 2]


def test_chunked_answer_is_put_together(node: FakeNode, api: Api) -> None:
    node.is_chunked = True
    node.get("vhosts", ["a long list"] * 100)
    assert api.get("vhosts") == ["a long list"] * 100


@pytest.mark.parametrize(
    ("status", "answer", "kind", "text"),
    [
        (404, {"error": "x", "reason": "Not Found"}, Missing, "/api/x is not there: Not Found"),
        (401, None, Refused, "not allowed: a user and a password are needed"),
        (401, {"error": "x", "reason": "Not a user"}, Refused, "not allowed: Not a user"),
        (400, {"error": "bad_request", "reason": "inequivalent arg"}, Refused, "inequivalent arg"),
        (400, {"error": "bad_request", "reason": ["not_boolean", "yes"]}, Refused, '["not_boolean", "yes"]'),
        (500, None, Refused, "HTTP status 500 for /api/x"),
        (400, {"error": "only this"}, Refused, "only this"),
    ],
)  # fmt: skip
def test_refusal_says_the_reason(
    node: FakeNode, api: Api, status: int, answer: object, kind: type[Refused], text: str
) -> None:
    node.answers["GET", "x"] = status, answer
    with pytest.raises(kind) as raised:
        api.get("x")
    assert (str(raised.value), raised.value.status) == (text, status)


def test_answer_that_is_no_json_is_text(node: FakeNode, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    node.answers["GET", "x"] = 200, "text"
    monkeypatch.setattr("tests.cli.fake_node.json.dumps", lambda value: "<html>")
    assert api.get("x") == "<html>"


def test_no_socket_says_which_directory(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=f"^no node runs on data directory {tmp_path}: "):
        Api(Endpoint(path=str(tmp_path / "control.sock"))).get("x")


def test_dead_socket_says_which_directory(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    with pytest.raises(Unreachable, match=f"^no node runs on data directory {tmp_path}: "):
        Api(Endpoint(path=str(tmp_path / "control.sock"))).get("x")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (
            errno.EACCES,
            "/d/control.sock may not be used: run this as the user that runs the node, or give a --url",
        ),
        (errno.ENOTDIR, "no node runs on data directory /d: name another with --data-dir, or a --url"),
        (errno.EMFILE, "/d/control.sock cannot be reached: too many open files"),
    ],
)
def test_error_of_the_socket_says_what_to_do(number: int, text: str) -> None:
    error = OSError(number, os.strerror(number))
    assert unreachable(Endpoint(path="/d/control.sock"), error) == text


def test_closed_port_is_told(free_port: int) -> None:
    with pytest.raises(
        Unreachable, match=f"^http://127.0.0.1:{free_port} cannot be reached: connection refused"
    ):
        Api(Endpoint(host="127.0.0.1", port=free_port)).get("x")


def test_slow_node_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()
        with pytest.raises(Unreachable, match=r"did not answer within 0\.01 s"):
            Api(Endpoint(path=str(tmp_path / "control.sock")), 0.01).get("x")


def test_other_protocol_is_told(tmp_path: Path) -> None:
    import threading

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1000)
                client.sendall(b"AMQP\0\0\x09\x01")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable, match="the answer is not HTTP"):
            Api(Endpoint(path=str(tmp_path / "control.sock")), 10).get("x")
        thread.join()
