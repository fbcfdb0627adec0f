"""RabbitMQ 3.10.8's tools and ours, asked the same one line after the other, on a broker.

`recorded.json` has a tool, its words, exit code, output and error output for each; `NODE` stands for
the name of the node. Lists have no order there, so that lines are compared as they come in any order.
"""

import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Process

from supersoniq.cli.ctl.running import run
from supersoniq.cli.remote.api import Api
from supersoniq.cli.remote.http import Endpoint

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))


@pytest.fixture
def data_dir(serve: Callable[..., Process]) -> str:
    """Of a broker that has what RabbitMQ had when it was asked."""
    process = serve(env={"SUPERSONIQ_MANAGEMENT": "local"})
    api = Api(Endpoint(path=f"{process.data_dir}/control.sock"))
    api.put("vhosts", "clit")
    arguments = {"x-max-length": 100, "x-dead-letter-exchange": "dead"}
    api.put("queues", "clit", "orders", body={"durable": True, "arguments": arguments})
    api.put("queues", "clit", "empty", body={"durable": False, "auto_delete": True})
    api.put("queues", "clit", "qq", body={"durable": True, "arguments": {"x-queue-type": "quorum"}})
    exchange = {"type": "topic", "durable": True, "arguments": {"alternate-exchange": "amq.fanout"}}
    api.put("exchanges", "clit", "dead", body=exchange)
    binding = {"routing_key": "a.#", "arguments": {"x": 1}}
    api.post("bindings", "clit", "e", "dead", "q", "orders", body=binding)
    api.post("bindings", "clit", "e", "dead", "e", "amq.fanout", body={"routing_key": "", "arguments": {}})
    message = {"properties": {}, "routing_key": "orders", "payload": "hello", "payload_encoding": "string"}
    for _ in range(3):
        api.post("exchanges", "clit", "amq.default", "publish", body=message)
    return process.data_dir


def lines_of(text: str) -> list[str]:
    """The lines in an order of their own, without the comma that only says which object is the first."""
    return sorted([re.sub(r"^,", "", line) for line in text.split("\n") if line])


@pytest.mark.timeout(120)
def test_tools_print_what_rabbitmqs_print(data_dir: str) -> None:
    environ = {"SUPERSONIQ_DATA_DIR": data_dir}
    api = Api(Endpoint(path=f"{data_dir}/control.sock"))
    node = api.get("overview")["node"]
    known = {vhost["name"] for vhost in api.get("vhosts")} - {"/"}
    different = []
    for tool, words, code, out, err in RECORDED:
        own_out, own_err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(own_out), contextlib.redirect_stderr(own_err):
            own_code = run(words, tool, environ)
        said = [text.getvalue().replace(node, "NODE") for text in (own_out, own_err)]
        if "list_vhosts" in words:  # the other ones were not there yet
            said[0] = "\n".join(
                [line for line in said[0].split("\n") if not any(name in line for name in known)]
            )
        if (own_code, *map(lines_of, said)) != (code, lines_of(out), lines_of(err)):
            different.append(
                f"$ {tool} {' '.join(words)}\n{code} {out}{err}\nis here\n{own_code} {''.join(said)}"
            )
    assert not different, "\n\n".join(different)
