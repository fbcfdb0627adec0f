"""Completion: the shell is told what the node knows."""

import subprocess
import sys
from pathlib import Path

from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.completing import completions


def test_names_of_the_node_are_completed(node: FakeNode) -> None:
    node.get("queues", [{"name": "orders", "vhost": "/"}, {"name": "other", "vhost": "shop"}, {"name": "x"}])
    values = {"data_dir": str(node.directory), "vhost": ""}
    assert completions("queues", "o", values) == ["orders", "other"]
    assert completions("queues", "o", values | {"vhost": "shop"}) == ["other"]


def test_no_node_completes_nothing(tmp_path: Path) -> None:
    assert completions("queues", "o", {"data_dir": str(tmp_path)}) == []
    assert completions("queues", "o", {"url": "nonsense"}) == []


def complete(words: str, environ: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", "from supersoniq.cli.main import main; main()"],
        env=environ
        | {
            "_SUPERSONIQ_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout.split()


def test_shell_completes_nouns_verbs_options_and_names(node: FakeNode, environ: dict[str, str]) -> None:
    node.get("queues", [{"name": "orders", "vhost": "/"}, {"name": "other", "vhost": "/"}])
    assert complete("supersoniq que", environ) == ["queues"]
    assert complete("supersoniq queues pu", environ) == ["purge"]
    assert complete("supersoniq queues list --rev", environ) == ["--reverse"]
    words = f"supersoniq queues show --data-dir {node.directory} o"
    assert complete(words, environ) == ["orders", "other"]
