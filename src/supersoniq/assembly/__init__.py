"""What `node.py` puts between parts that do not know each other."""
