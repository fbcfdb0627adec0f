"""Names of queues, users and so on, for the shell to complete."""

from collections.abc import Callable
from typing import Any

from supersoniq.cli.remote.api import Api, ApiError
from supersoniq.cli.remote.call import Common
from supersoniq.cli.remote.endpoint import Where, WrongEndpoint, locate

# The shell waits for them: better none than late.
TIMEOUT_SECONDS = 1.0


def names_of(noun: str) -> Callable[..., list[str]]:
    """A function that completes the beginning of a name with those that the node knows."""

    def complete(ctx: Any, incomplete: str) -> list[str]:
        return completions(noun, incomplete, {key: value or "" for key, value in ctx.params.items()})

    # typer looks at the names of the parameters and ignores annotations that it does not know.
    complete.__annotations__ = {}
    return complete


def completions(noun: str, incomplete: str, values: dict[str, Any]) -> list[str]:
    """Names that begin with `incomplete`; none when the node does not say."""
    import os

    fields = Common._fields
    common = Common(**{name: value for name, value in values.items() if name in fields and value})
    where = Where(common.url, common.data_dir, common.config, common.ca_file)
    try:
        items = Api(locate(where, os.environ), TIMEOUT_SECONDS).get(noun, columns="name,vhost")
    except (ApiError, WrongEndpoint):
        return []
    vhost = values.get("vhost")
    return sorted(
        {
            item["name"]
            for item in items
            if item["name"].startswith(incomplete) and (not vhost or item.get("vhost", vhost) == vhost)
        }
    )
