"""What operators set is checked: policies and limits are refused in RabbitMQ's words."""

from supersoniq.amqp.primitives import octets


class ValidationFailed(Exception):
    """A policy or a limit is not accepted; the text may have several lines, one for each reason."""


def check(reasons: list[str]) -> None:
    """Raise ValidationFailed if there is any reason to."""
    if reasons:
        raise ValidationFailed("Validation failed\n\n" + "\n".join(reasons) + "\n")


def is_number(value: object) -> bool:
    """Whether a value of JSON is an integer; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_name(value: object) -> bool:
    """Whether a value of JSON fits into a short string."""
    if not isinstance(value, str):
        return False
    try:
        return len(octets(value)) <= 255
    except UnicodeEncodeError:
        return False


def term(value: object) -> str:
    """Render a value of JSON as RabbitMQ's texts do, which are Erlang's."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'<<"{escaped}">>' if value else "<<>>"
    if isinstance(value, list):
        return "[" + ",".join([term(each) for each in value]) + "]"
    if isinstance(value, dict):
        return "#{" + ",".join([f"{term(key)} => {term(each)}" for key, each in value.items()]) + "}"
    return str(value)


def pairs(values: dict[str, object]) -> str:
    """Render names and values as a list of pairs, in order of the names."""
    return "[" + ",".join([f"{{{term(name)},{term(values[name])}}}" for name in sorted(values)]) + "]"
