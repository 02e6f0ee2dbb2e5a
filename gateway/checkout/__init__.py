"""What the operator's files and git say."""
