"""Things to run. Nothing in the product imports them."""
