"""What is declared again has to be what it was, and the answer names the first difference."""

import pytest
from tests.fakes import FakeQueueStore

from supersoniq.amqp.errors import AMQPError, PreconditionFailed, ResourceLocked
from supersoniq.amqp.tables import table_of
from supersoniq.broker.arguments import check_queue
from supersoniq.broker.equivalence import check_same_exchange, check_same_queue, locked
from supersoniq.broker.exchanges.fanout import FanoutExchange
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.turn import Turn

ME, OTHER = 1, 2


def exchange_answer(
    kind: str = "fanout",
    durable: bool = True,
    auto_delete: bool = False,
    internal: bool = False,
    had: dict[str, object] | None = None,
    given: dict[str, object] | None = None,
) -> str:
    """What is answered to a declaration of a durable fanout exchange `e`; empty if it is the same."""
    exchange = FanoutExchange(b"e", True, False, False, table_of(had or {}))
    try:
        check_same_exchange("/", exchange, kind, durable, auto_delete, internal, table_of(given or {}))
    except PreconditionFailed as error:
        return error.text
    return ""


def queue_answer(
    durable: bool = True,
    owner: int = NOBODY,
    auto_delete: bool = False,
    had: dict[str, object] | None = None,
    given: dict[str, object] | None = None,
    current_owner: int = NOBODY,
) -> str:
    """What is answered to a declaration of a durable queue `q`; empty if it is the same."""
    options = check_queue(b"q", "/", True, False, False, table_of(had or {}))
    queue = Queue(b"q", True, False, current_owner, options, Turn(), FakeQueueStore())
    try:
        check_same_queue("/", queue, durable, owner, auto_delete, table_of(given or {}))
    except AMQPError as error:
        return error.text
    return ""


def test_same_again_is_fine() -> None:
    alternate: dict[str, object] = {"alternate-exchange": "a"}
    assert exchange_answer() == exchange_answer(had=alternate, given=alternate) == ""
    rules = {"x-max-length": 5, "x-overflow": "drop-head"}
    assert queue_answer() == queue_answer(had=rules, given=dict(rules)) == ""
    assert queue_answer(owner=ME, current_owner=ME) == ""


def test_arguments_that_an_exchange_does_not_know_are_not_compared() -> None:
    assert exchange_answer(had={"x-mine": 1}, given={"x-mine": 2}) == ""


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        ({"kind": "topic"}, "'type' {}: received 'topic' but current is 'fanout'"),
        ({"durable": False}, "'durable' {}: received 'false' but current is 'true'"),
        ({"auto_delete": True}, "'auto_delete' {}: received 'true' but current is 'false'"),
        ({"internal": True}, "'internal' {}: received 'true' but current is 'false'"),
        (
            {"had": {"alternate-exchange": "a"}},
            "'alternate-exchange' {}: received none but current is the value 'a' of type 'longstr'",
        ),
        (
            {"had": {"alternate-exchange": "a"}, "given": {"alternate-exchange": "b"}},
            "'alternate-exchange' {}: received the value 'b' of type 'longstr' "
            "but current is the value 'a' of type 'longstr'",
        ),
    ],
)
def test_exchange_that_differs_is_told(declared: dict[str, object], answer: str) -> None:
    wanted = "inequivalent arg " + answer.format("for exchange 'e' in vhost '/'")
    assert exchange_answer(**declared) == wanted  # type: ignore[arg-type]  # each has the type of its name


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        ({"durable": False}, "'durable' {}: received 'false' but current is 'true'"),
        ({"auto_delete": True}, "'auto_delete' {}: received 'true' but current is 'false'"),
        (
            {"given": {"x-message-ttl": 5}},
            "'x-message-ttl' {}: received the value '5' of type 'signedint' but current is none",
        ),
        (
            {"had": {"x-max-length": 5}, "given": {"x-max-length": 6}},
            "'x-max-length' {}: received '6' but current is '5'",
        ),
    ],
)
def test_queue_that_differs_is_told(declared: dict[str, object], answer: str) -> None:
    wanted = "inequivalent arg " + answer.format("for queue 'q' in vhost '/'")
    assert queue_answer(**declared) == wanted  # type: ignore[arg-type]  # each has the type of its name


def test_first_difference_is_told_alone() -> None:
    assert "'type'" in exchange_answer(kind="topic", durable=False, internal=True)
    assert "'durable'" in queue_answer(durable=False, auto_delete=True, given={"x-max-length": 1})


@pytest.mark.parametrize(("owner", "current_owner"), [(ME, NOBODY), (NOBODY, ME), (OTHER, ME)])
def test_owner_is_looked_at_before_anything_else(owner: int, current_owner: int) -> None:
    answer = queue_answer(durable=False, owner=owner, current_owner=current_owner)
    assert answer.startswith("cannot obtain exclusive access to locked queue 'q' in vhost '/'. ")


def test_locked_queue_is_answered_with_405() -> None:
    error = locked("shop", b"q")
    assert isinstance(error, ResourceLocked)
    assert "locked queue 'q' in vhost 'shop'" in error.text
