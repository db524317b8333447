"""Deputy's Slack side, measured against what is simpler: `python -m tests.bench.slack [part…] [--rounds 3]`."""
