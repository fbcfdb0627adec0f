"""Dashboard and alerts ask for metrics that a broker has, and the examples make them move."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
ASKING = (
    ROOT / "deploy" / "grafana" / "dashboards" / "supersoniq.json",
    ROOT / "deploy" / "prometheus" / "alerts.yml",
)


def test_examples_lose_nothing_and_every_metric_is_there(serve: Callable[..., Any]) -> None:
    broker = serve()
    for name in ("producer.py", "consumer.py"):
        done = subprocess.run(
            [sys.executable, "-W", "error", ROOT / "examples" / name],
            env=os.environ | {"AMQP_URL": broker.url, "COUNT": "50", "RATE": "1000"},
            capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] in ("50 orders are safe", "50 orders billed")
    found = re.search(r"listening on (http://127\.0\.0\.1:\d+)/metrics", broker.log)
    assert found is not None
    there = set()
    for path in scraped():
        with urllib.request.urlopen(found[1] + path, timeout=20) as answer:
            there |= set(re.findall(r"^(\w+)[{ ]", answer.read().decode(), re.MULTILINE))
    asked = {
        name
        for file in ASKING
        for name in re.findall(r"\b(?:rabbitmq|supersoniq)_[a-z0-9_]+", file.read_text(encoding="utf-8"))
    }
    assert asked
    assert sorted(asked - there) == []


def scraped() -> list[str]:
    """The pages that prometheus.yml has scraped, with their parameters."""
    text = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    pages = []
    for job in yaml.safe_load(text)["scrape_configs"]:
        query = "&".join(
            f"{key}={value}" for key, values in job.get("params", {}).items() for value in values
        )
        pages.append(f"{job.get('metrics_path', '/metrics')}?{query}")
    return pages
