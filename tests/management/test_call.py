"""Calls: names of paths, and answers."""

from supersoniq.management.call import answer, done


def test_answer_is_json() -> None:
    response = answer({"a": 1}, 201, {"location": "x"})
    assert (response.status_code, response.body) == (201, b'{"a":1}')
    assert (response.headers["content-type"], response.headers["location"]) == ("application/json", "x")


def test_done_has_no_body() -> None:
    response = done()
    assert (response.status_code, response.body) == (204, b"")
