"""Bare Debian hosts in, WeCom reverse proxies out: `pyinfra inventory/prod.py deploy.py`."""

try:
    from gateway.deploys import stages
except ImportError as error:
    right = "run it in its own folder, with the pyinfra that is installed beside wecom-gateway"
    raise SystemExit(f"deploy.py: {error}; {right}") from None

stages.deploy()
