"""Definitions as a file: what RabbitMQ and LavinMQ export, read and put into a node."""
