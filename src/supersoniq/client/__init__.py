"""The Python client: connections, channels and their synchronous methods, for asyncio.

It knows the wire (`amqp/`) and nothing of the broker.
"""
