"""The world of the demo: a directory, services and files, all real, all on loopback."""
