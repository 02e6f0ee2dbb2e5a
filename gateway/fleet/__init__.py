"""From an inventory file to checked hosts."""
