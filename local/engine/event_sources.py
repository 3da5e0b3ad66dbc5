"""PutEvents accepts sources that begin with `aws.`, so that Security Hub's events can be put by hand on one machine."""

from functools import partial

from ministack.services import eventbridge


def allow_aws_sources() -> None:
    """Let callers say what on AWS only its services may say; ministack's own emitters have the switch already."""
    eventbridge._put_events = partial(eventbridge._put_events, allow_aws_source=True)  # noqa: SLF001
