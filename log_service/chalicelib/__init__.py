"""log_service: takes, keeps and finds log records."""

VERSION = "1.0.0"
