"""Records of control that no other layer has."""

from typing import NamedTuple


class VHostMetadata(NamedTuple):
    """What is said of a virtual host. An empty `default_queue_type` is that of the node."""

    description: str = ""
    tags: tuple[str, ...] = ()
    default_queue_type: str = ""
    tracing: bool = False
