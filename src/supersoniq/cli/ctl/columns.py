"""The columns that a listing is asked for."""

from collections.abc import Sequence

from supersoniq.cli.ctl.context import WrongLine


def checked(wanted: Sequence[str], known: Sequence[str]) -> list[str]:
    """The columns as they are wanted, separated by spaces or commas; raises WrongLine for unknown ones."""
    columns = [column for word in wanted for column in word.split(",") if column]
    unknown = sorted({column for column in columns if column not in known})
    if unknown:
        raise WrongLine(f"Info key(s) {','.join(unknown)} are not supported")
    return columns
