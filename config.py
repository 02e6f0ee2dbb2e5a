"""pyinfra reads this file before the inventory, so nothing is connected to before the inventory is sound."""

try:
    from gateway.deploys.preflight import stop_on_problems
except ImportError as error:
    raise SystemExit(f"config.py: {error}; run the pyinfra of this project, like .venv/bin/pyinfra") from None

stop_on_problems()
