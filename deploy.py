"""Bare Debian hosts in, WeCom reverse proxies out: `pyinfra inventory/prod.py deploy.py`."""

from gateway import deploys

deploys.deploy()
