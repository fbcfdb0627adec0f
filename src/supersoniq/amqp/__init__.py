"""The wire of AMQP 0-9-1: constants, field tables, properties, frames, methods and errors.

No I/O, no state of a broker.
"""
