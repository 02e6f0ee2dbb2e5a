"""What is wrong with a container or a Vagrant machine that an inventory names."""

from __future__ import annotations


class MachineError(Exception):
    """It cannot be used as it is; the message says why and what would be right."""
