"""Who may use the broker. Imports nothing of ours."""
