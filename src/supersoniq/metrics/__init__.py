"""Metrics: what the counters of a node say over time, and what Prometheus is told of them."""
