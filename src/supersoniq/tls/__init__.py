"""Certificates: the broker's own, which can be read anew, and what is said of a client's."""
