"""The load generator: what `supersoniq perf` does, for any AMQP 0-9-1 broker."""
