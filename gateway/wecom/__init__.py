"""WeCom's errors, and the texts of both languages."""
