"""Exchanges: one module a type, each saying where a message with given keys and headers goes."""
