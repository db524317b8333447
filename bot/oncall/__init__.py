"""What goes on: who is on call and which incident is open, from a file or from sources that are asked."""
