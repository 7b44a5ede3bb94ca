"""Finding the hat. Team search."""
