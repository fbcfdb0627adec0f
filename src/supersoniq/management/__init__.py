"""The management HTTP API: RabbitMQ's endpoints, fields and errors, and what only this broker can answer."""
