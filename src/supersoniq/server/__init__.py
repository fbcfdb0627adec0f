"""Sockets and time: feeds sessions with bytes and ticks, sends what they write."""
