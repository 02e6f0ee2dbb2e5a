"""Bare Debian hosts in, WeCom reverse proxies out: `pyinfra inventory/prod.py deploy.py`."""

try:
    from gateway.deploys import stages
except ImportError as error:
    raise SystemExit(f"deploy.py: {error}; run it in its own folder, with the pyinfra of that project") from None

stages.deploy()
