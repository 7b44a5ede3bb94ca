"""What is answered over HTTP. Each module holds a few endpoints of at most ten lines."""
