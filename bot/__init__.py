"""Deputy: a chat-ops bot for delegated execution."""
