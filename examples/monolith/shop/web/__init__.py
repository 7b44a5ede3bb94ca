"""What visitors see. Team web."""
