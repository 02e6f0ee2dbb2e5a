"""`python -m gateway verify`: sites as WeCom and a phone see them, from outside."""
