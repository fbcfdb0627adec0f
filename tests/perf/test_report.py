"""Reports for people and programs."""

import json

from supersoniq.perf.histogram import Histogram
from supersoniq.perf.report import BrokerCost, ChurnReport, LoadReport, Silence, latency_of


def load_report(complete: bool = True) -> LoadReport:
    histogram = Histogram()
    histogram.record(2_000_000)
    cost = BrokerCost(0.5, 5.0, 40.0, 41.5)
    return LoadReport("latency", 2.0, complete, 100, 90, 3, 50.0, 45.0, 0.25, cost, latency_of(histogram))


def test_json_holds_every_figure() -> None:
    told = json.loads(json.dumps(load_report().as_json()))
    assert told["latency"]["p99"] == 2000
    assert told["broker"]["cpu_us"] == 5
    assert (told["published"], told["delivered"], told["nacked"]) == (100, 90, 3)


def test_lines_hold_what_was_measured() -> None:
    text = "\n".join(load_report().lines())
    for part in ("100", "50 msg/s", "nacked", "median 2,000", "5.000 us CPU per message", "40.0 to 41.5 MB"):
        assert part in text


def test_run_that_was_given_up_says_so() -> None:
    assert "given up" in "\n".join(load_report(complete=False).lines())
    assert "given up" not in "\n".join(load_report().lines())


def test_churn_report_names_its_operation() -> None:
    report = ChurnReport("queue", 1.0, 10, 10.0, latency_of(Histogram()), None)
    assert report.lines() == ["queue                10             10 /s"]
    assert report.as_json()["latency"] is None


def test_silence_shows_nothing() -> None:
    Silence().show("text")
