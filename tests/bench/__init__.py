"""Benchmarks: Deputy beside the least that could run a script. They print; they never fail for being slow."""
