"""The previous release back, proven like a deploy: `pyinfra inventory/prod.py rollback.py`.

Run again, it goes one further back. The next deploy goes forward to what the inventory says.
"""

from gateway import operations

operations.roll_back(name="Roll back to the previous release")
