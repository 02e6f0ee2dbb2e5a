"""Writes into an operator's inventory: a new entry, and not a byte of the file besides."""
