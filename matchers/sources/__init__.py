"""Where rules are written, and how they are read: strictly, every problem at once, with places."""
