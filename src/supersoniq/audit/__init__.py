"""The audit log: who logged in, was refused, and changed what."""
