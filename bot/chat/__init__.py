"""Chat platforms: each listens, posts and renders."""
