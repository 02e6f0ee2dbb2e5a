"""pyinfra reads this file before the inventory, so nothing is connected to before the inventory is sound."""

try:
    from gateway.deploys.preflight import stop_on_problems
except ImportError as error:
    right = "run the pyinfra that is installed beside wecom-gateway, in a checkout .venv/bin/pyinfra"
    raise SystemExit(f"config.py: {error}; {right}") from None

stop_on_problems()
