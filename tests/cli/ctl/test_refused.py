"""rabbitmqctl's words that have no meaning here."""

import pytest
from tests.cli.ctl.conftest import Ctl

from supersoniq.cli.ctl.refused import REASONS


@pytest.mark.parametrize("word", REASONS)
def test_word_is_refused_with_its_reason(ctl: Ctl, word: str) -> None:
    assert ctl(word, "some", "words") == (69, "", f"Error:\n{REASONS[word]}\n\n")
