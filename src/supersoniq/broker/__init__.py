"""The broker itself: messages, exchanges, queues and virtual hosts.

It knows no AMQP methods and does no I/O.
"""
