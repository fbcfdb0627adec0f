"""`supersoniq vhosts`."""

from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode


def test_virtual_hosts_are_listed(node: FakeNode, ask: Ask) -> None:
    node.get(
        "vhosts", [{"name": "/", "messages_ready": 1500, "messages_unacknowledged": 0, "tracing": False}]
    )
    assert ask("vhosts").out.splitlines() == [
        "name  ready  unacked  tracing  description  tags",
        "/     1,500        0  no",
    ]


def test_only_what_is_given_is_set(node: FakeNode, ask: Ask) -> None:
    node.accepts("PUT", "vhosts/shop")
    assert ask("vhosts", "create", "shop") == (0, "virtual host shop is there\n", "")
    ask(
        "vhosts", "create", "shop", "--description", "d", "--tag", "a", "--tag", "b", "--tracing",
        "--default-queue-type", "quorum",
    )  # fmt: skip
    everything = {"description": "d", "tags": "a,b", "tracing": True, "default_queue_type": "quorum"}
    assert [body for _, _, body in node.changes()] == [{}, everything]


def test_virtual_host_is_shown_and_deleted(node: FakeNode, ask: Ask) -> None:
    node.get("vhosts/shop", {"name": "shop", "tracing": False})
    node.accepts("DELETE", "vhosts/shop")
    assert ask("vhosts", "show", "shop").out == "name     shop\ntracing  no\n"
    assert ask("vhosts", "delete", "shop") == (0, "virtual host shop is deleted\n", "")


def test_missing_virtual_host_is_one_line(node: FakeNode, ask: Ask) -> None:
    node.get("vhosts", [{"name": "shop"}])
    said = (1, "", "supersoniq: no virtual host 'shpo': did you mean 'shop'?\n")
    assert ask("vhosts", "delete", "shpo") == said
    assert ask("vhosts", "show", "shpo") == said
