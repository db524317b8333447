"""Engines: how a worker hears that a run is queued."""
