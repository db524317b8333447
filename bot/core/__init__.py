"""The pure heart of Deputy: values and rules; standard library only, no I/O, no clock."""
