"""Puts an application on AWS: its resources.yaml first, then the application itself."""
