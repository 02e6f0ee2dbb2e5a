"""What runs on a host, and what it shares with the control side."""
