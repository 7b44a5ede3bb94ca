"""Source maps: a bundle's frame to the source it was made of. Pure; no file, no database."""
