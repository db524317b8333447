"""Policy: who may do what, decided by Cedar over a folder of files that is read again when it changes."""
