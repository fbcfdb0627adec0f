"""What operators do with a data directory: look, check, copy, repair. No running node needs any of it."""
