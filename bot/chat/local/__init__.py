"""The local channel: a page on this machine that is a chat."""
