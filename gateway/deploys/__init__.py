"""What pyinfra runs on hosts, and what hosts say of themselves."""
