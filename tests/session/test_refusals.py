"""Refusals: the last ones are kept, with all that is known of them."""

from supersoniq.session.refusals import REFUSALS_MAX, Refusal, Refusals


def refusal(number: int) -> Refusal:
    return Refusal(number, "u", "a", "c", "n", "/", 1, 404, "NOT_FOUND", "50.10")


def test_latest_come_first_and_old_ones_go() -> None:
    refusals = Refusals()
    for number in range(REFUSALS_MAX + 5):
        refusals.note(refusal(number))
    latest = refusals.latest()
    assert refusals.count == REFUSALS_MAX + 5
    assert [latest[0].at_ms, latest[-1].at_ms, len(latest)] == [REFUSALS_MAX + 4, 5, REFUSALS_MAX]
