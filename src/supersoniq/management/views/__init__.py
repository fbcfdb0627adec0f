"""The only place that knows RabbitMQ's JSON names."""
