"""Use cases: what somebody can do, one verb a file. They know the ports, never an adapter."""
