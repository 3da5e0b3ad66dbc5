"""Measurements of the applications, each beside its yardstick. `python -m bench --help`."""
