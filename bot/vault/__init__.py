"""Vaults: where credentials are kept, sealed, and leased for one run."""
