"""Money. Team payments."""
