"""Forms: fields of a body that a browser has sent."""

from urllib.parse import parse_qsl

from supersoniq.management.errors import bad_request

FIELDS_MAX = 100


def form_of(data: bytes) -> dict[str, str]:
    """Return the fields of a form; raises 400."""
    try:
        return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise bad_request("not_a_form") from None
