"""What is remembered: the schema, the one writer, and the reads."""
