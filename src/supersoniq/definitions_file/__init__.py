"""Definitions as a file: what RabbitMQ and LavinMQ export is read and put into a node, and written again."""
