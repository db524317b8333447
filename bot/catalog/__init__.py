"""Where actions come from: a folder of scripts, each with a .toml beside it."""
