"""Certificates and private keys: reading, judging, converting and storing them."""
