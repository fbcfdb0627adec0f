"""What an operator looks at and changes, one module a noun: its verbs are functions in `VERBS`."""
