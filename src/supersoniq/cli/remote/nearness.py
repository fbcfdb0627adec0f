"""What may have been meant by a name that nothing has."""

from collections.abc import Sequence

from supersoniq.cli.remote.api import Api, ApiError


def hint(api: Api, name: str, parts: Sequence[str]) -> str:
    """The end of an error about a missing `name`: where it is, or what is nearly named so.

    `parts` are its path; `("queues", "/", "ordes")` looks among the queues of all virtual hosts.
    """
    in_vhost = f" in virtual host '{parts[1]}'" if len(parts) == 3 else ""
    try:
        answer = api.get(parts[0], columns="name,vhost")
    except ApiError:
        return in_vhost
    return in_vhost + _near(answer, name, parts) if isinstance(answer, list) else in_vhost


def _near(items: list[dict[str, str]], name: str, parts: Sequence[str]) -> str:
    import difflib

    if len(parts) == 3:
        elsewhere = [item["vhost"] for item in items if item["name"] == name]
        if elsewhere:
            return f": it is in '{elsewhere[0]}'"
        items = [item for item in items if item.get("vhost") == parts[1]]
    near = difflib.get_close_matches(name, [item.get("name", "") for item in items], 1)
    return f": did you mean '{near[0]}'?" if near else ""
