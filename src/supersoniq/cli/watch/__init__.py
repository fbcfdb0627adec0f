"""Commands about the node as a whole, one module each: the command is its `COMMAND`."""
