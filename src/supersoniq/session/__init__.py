"""One client's conversation.

What it says is turned into calls on the broker, what the broker says into frames. No I/O.
"""
