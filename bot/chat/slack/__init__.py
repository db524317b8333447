"""Slack: what people ask there, and what they are shown."""
