"""WeCom's errors and what they mean, in Chinese and English."""
