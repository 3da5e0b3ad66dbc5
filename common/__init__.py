"""What the five applications share; it knows none of them by name."""
