"""The checker itself: each kind of broken promise is noticed, and what a kill may do is not."""

import pytest
from tests.faults.ledger import COMMITTED, COMMITTING, ROLLED_BACK, Ledger, Publication


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def confirmed(ledger: Ledger, *queues: str, persistent: bool = True) -> Publication:
    publication = ledger.published("p", queues, 10, persistent)
    ledger.confirmed(publication)
    return publication


def violation(ledger: Ledger) -> str:
    assert len(ledger.violations) == 1, ledger.violations
    return ledger.violations[0]


def test_everything_in_order_is_no_violation(ledger: Ledger) -> None:
    first, second = confirmed(ledger, "a", "b"), confirmed(ledger, "a")
    ledger.consuming("a")
    for publication in (first, second):
        ledger.delivered("a", "c", publication.body, False)
    ledger.acked("a", first)
    ledger.killed()
    ledger.drained("a", first.body, True)
    ledger.drained("a", second.body, True)
    ledger.drained("b", first.body, False)
    ledger.close()
    assert not ledger.violations


def test_acked_message_may_come_again_if_its_ack_may_not_have_arrived(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a")
    ledger.consuming("a")
    ledger.delivered("a", "c", publication.body, False)
    ledger.acked("a", publication)
    ledger.doubted("a", publication)
    ledger.delivered("a", "d", publication.body, True)
    ledger.close()
    assert not ledger.violations


def test_lost_confirmed_message_is_noticed_for_its_queue(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a", "b")
    ledger.killed()
    ledger.drained("a", publication.body, False)
    ledger.close()
    assert "b: message 0 of p, epoch 0, for a+b was confirmed and is lost" in violation(ledger)


def test_message_that_was_seen_and_not_acked_must_come_again(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a")
    ledger.delivered("a", "c", publication.body, False)
    ledger.killed()
    ledger.close()
    assert "is lost" in violation(ledger)


def test_unconfirmed_and_transient_messages_may_be_lost(ledger: Ledger) -> None:
    ledger.published("p", ("a",))
    confirmed(ledger, "a", persistent=False)
    ledger.killed()
    ledger.close()
    assert not ledger.violations


def test_transient_message_must_not_outlive_a_kill(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a", persistent=False)
    ledger.killed()
    ledger.drained("a", publication.body, False)
    assert "transient" in violation(ledger)


@pytest.mark.parametrize("body", [b"", b"7 ", b"x 1", b"0 other bytes"])
def test_message_that_nobody_published_is_noticed(ledger: Ledger, body: bytes) -> None:
    confirmed(ledger, "a")
    ledger.drained("a", body, False)
    assert "not published" in violation(ledger)


def test_message_in_another_queue_is_noticed(ledger: Ledger) -> None:
    ledger.drained("b", confirmed(ledger, "a").body, False)
    assert "b: message 0" in violation(ledger)


def test_message_that_comes_again_needs_its_flag(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a")
    ledger.delivered("a", "c", publication.body, False)
    ledger.killed()
    ledger.delivered("a", "d", publication.body, False)
    assert any("without redelivered" in line for line in ledger.violations)


def test_flag_of_a_message_that_nobody_can_have_had_is_noticed(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a")
    ledger.killed()
    ledger.drained("a", publication.body, True)
    assert "nobody had consumed" in violation(ledger)


def test_acked_message_that_comes_again_without_a_kill_is_noticed(ledger: Ledger) -> None:
    publication = confirmed(ledger, "a")
    ledger.consuming("a")
    ledger.delivered("a", "c", publication.body, False)
    ledger.acked("a", publication)
    ledger.delivered("a", "c", publication.body, True)
    assert "after its ack" in violation(ledger)


def test_first_deliveries_out_of_order_are_noticed(ledger: Ledger) -> None:
    first, second = confirmed(ledger, "a"), confirmed(ledger, "a")
    ledger.delivered("a", "c", second.body, False)
    ledger.delivered("a", "another", first.body, False)
    assert not ledger.violations
    ledger.delivered("a", "c", first.body, True)
    third = confirmed(ledger, "a")
    ledger.delivered("a", "c", third.body, False)
    ledger.violations.clear()
    fourth, fifth = confirmed(ledger, "a"), confirmed(ledger, "a")
    ledger.delivered("a", "c", fifth.body, False)
    ledger.delivered("a", "c", fourth.body, False)
    assert "was delivered after" in violation(ledger)


def test_first_delivery_of_what_was_passed_before_the_kill_is_noticed(ledger: Ledger) -> None:
    first, second = confirmed(ledger, "a"), confirmed(ledger, "a")
    ledger.delivered("a", "c", second.body, False)
    ledger.killed()
    ledger.delivered("a", "d", first.body, False)
    assert "was delivered after 1" in violation(ledger)


def test_drained_messages_are_in_order_redelivered_or_not(ledger: Ledger) -> None:
    ledger.consuming("a")
    first, second = confirmed(ledger, "a"), confirmed(ledger, "a")
    ledger.drained("a", second.body, True)
    ledger.drained("a", first.body, True)
    assert "was drained after 1" in violation(ledger)


def test_purged_message_must_not_come_but_may_while_the_purge_is_in_doubt(ledger: Ledger) -> None:
    first, second = confirmed(ledger, "a"), confirmed(ledger, "a")
    ledger.wiping([first, second])
    ledger.killed()
    ledger.drained("a", first.body, False)
    ledger.close()
    assert not ledger.violations
    ledger.wiped([second])
    ledger.drained("a", second.body, False)
    assert "purged" in violation(ledger)


def test_mandatory_message_is_returned_before_its_confirm(ledger: Ledger) -> None:
    returned = ledger.published("p", ())
    ledger.returned(returned.body)
    ledger.confirmed(returned)
    assert not ledger.violations
    confirmed(ledger)
    assert "before it was returned" in violation(ledger)


def test_routed_message_must_not_be_returned(ledger: Ledger) -> None:
    ledger.returned(confirmed(ledger, "a").body)
    assert "was returned" in violation(ledger)


def transaction(ledger: Ledger, state: str) -> list[Publication]:
    whole = ledger.transaction()
    publications = [ledger.published("t", (queue,), transaction=whole) for queue in ("a", "b")]
    whole.state = state
    return publications


def test_committed_transaction_must_come_whole(ledger: Ledger) -> None:
    first, _ = transaction(ledger, COMMITTED)
    ledger.killed()
    ledger.drained("a", first.body, False)
    ledger.close()
    assert "b: message 1" in violation(ledger)


def test_rolled_back_message_must_not_come(ledger: Ledger) -> None:
    first, _ = transaction(ledger, ROLLED_BACK)
    ledger.drained("a", first.body, False)
    assert "its transaction is rolled back" in violation(ledger)


@pytest.mark.parametrize("survivors", [0, 1, 2])
def test_commit_in_doubt_survives_whole_or_not_at_all(ledger: Ledger, survivors: int) -> None:
    publications = transaction(ledger, COMMITTING)
    ledger.killed()
    for publication in publications[:survivors]:
        ledger.drained(publication.queues[0], publication.body, False)
    ledger.close()
    assert len(ledger.violations) == (survivors == 1)


def test_acked_part_of_a_commit_in_doubt_need_not_come_again(ledger: Ledger) -> None:
    first, second = transaction(ledger, COMMITTING)
    ledger.delivered("a", "c", first.body, False)
    ledger.acked("a", first)
    ledger.killed()
    ledger.drained("b", second.body, False)
    ledger.close()
    assert not ledger.violations
