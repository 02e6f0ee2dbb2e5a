"""The previous release back, proven like a deploy: `pyinfra inventory/prod.py rollback.py`.

Run again, it goes one further back. The next deploy goes forward to what the inventory says.
"""

try:
    from gateway.deploys import operations
except ImportError as error:
    right = "run it in its own folder, with the pyinfra that is installed beside wecom-gateway"
    raise SystemExit(f"rollback.py: {error}; {right}") from None

operations.roll_back(name="Roll back to the previous release")
