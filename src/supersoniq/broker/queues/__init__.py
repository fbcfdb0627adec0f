"""Queues: what is ready, who consumes, and how the one goes to the other."""
