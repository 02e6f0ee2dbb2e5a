"""Tells a WeCom group robot what got worse since the last time, and what has ended."""
