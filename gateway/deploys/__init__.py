"""What pyinfra runs, and what a host says of itself."""
