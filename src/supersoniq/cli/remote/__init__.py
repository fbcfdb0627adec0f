"""Commands that ask a running node over its management API: how they are parsed, sent and shown."""
