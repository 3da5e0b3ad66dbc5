"""Flush at the end of each invocation of a Lambda function, before it is frozen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Self

from .handler import LogServiceHandler

MARGIN = 0.2  # seconds of the invocation left to the run-time


class FlushAfter:
    """Decorator of `handler(event, context)`, context manager and, by `middleware`, Chalice middleware.

    The flush never takes longer than the invocation has left, and comes after an exception too.
    """

    def __init__(self, *handlers: LogServiceHandler) -> None:
        self._handlers = handlers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush(None)

    def __call__[**P, T](self, function: Callable[P, T]) -> Callable[P, T]:
        """The function, followed by a flush."""

        @wraps(function)
        def flushed(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._following(args[1] if len(args) > 1 else None):
                return function(*args, **kwargs)

        return flushed

    def middleware(self, event: Any, get_response: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - Chalice's signature
        """For `app.register_middleware(flush_after(handler).middleware, "all")`."""
        contexts = (getattr(event, "lambda_context", None), getattr(event, "context", None))
        with self._following(next((one for one in contexts if hasattr(one, "get_remaining_time_in_millis")), None)):
            return get_response(event)

    @contextmanager
    def _following(self, context: object) -> Iterator[None]:
        try:
            yield
        finally:
            self._flush(context)

    def _flush(self, context: Any) -> None:  # noqa: ANN401 - Lambda's context object
        for handler in self._handlers:
            handler.flush(_time_for(handler, context))


def _time_for(handler: LogServiceHandler, context: Any) -> float:  # noqa: ANN401 - Lambda's context object
    if not hasattr(context, "get_remaining_time_in_millis"):
        return handler.buffering.timeout
    left: int = context.get_remaining_time_in_millis()
    return min(handler.buffering.timeout, max(0.0, left / 1000 - MARGIN))


flush_after = FlushAfter
