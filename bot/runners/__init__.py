"""Runners: where scripts run, leaving nothing behind."""
