"""The one-machine stack: an AWS engine, the applications as Chalice serves them, and the events that reach them."""
