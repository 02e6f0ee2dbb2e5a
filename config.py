"""pyinfra reads this file before the inventory, so nothing is connected to before the inventory is sound."""

from gateway.preflight import stop_on_problems

stop_on_problems()
