"""One batch on its way: sent, sent again where that is safe and may help, and accounted for record by record."""

from collections import deque
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from .answers import Answer
from .batches import Item
from .errors import Refused, Rejection, SendReport, Unavailable
from .options import Budget

Post = Callable[[Sequence[Item], float], Answer]


class Delivery:
    """Holds what is not confirmed yet (`pending`) and what became of the rest (`report`)."""

    def __init__(self, batch: Sequence[Item], budget: Budget) -> None:
        self._parts: deque[list[Item]] = deque([list(batch)])
        self._budget = budget
        self._counts = {"stored": 0, "duplicate": 0}
        self._rejected: list[Rejection] = []

    @property
    def pending(self) -> list[Item]:
        """The records of which we do not know that log_service has them, in order."""
        return [item for part in self._parts for item in part]

    @property
    def report(self) -> SendReport:
        """What is known so far."""
        stored, duplicates = self._counts["stored"], self._counts["duplicate"]
        return SendReport(stored, duplicates, tuple(self._rejected), self._budget.used)

    def run(self, post: Post, now: Callable[[], float]) -> None:
        """Deliver all, or raise Refused, Unavailable or MissingCredentials and leave the rest in `pending`."""
        while self._parts:
            self._budget.spend()
            try:
                self._take(post(self._parts[0], self._budget.remaining), now())
            except Unavailable as error:
                if not (error.passing and self._budget.wait(str(error), error.retry_after)):
                    raise
            except Refused as error:
                self._halve(error)

    def _take(self, answer: Answer, now: float) -> None:
        body = answer.body or {}
        if not (answer.status == HTTPStatus.BAD_REQUEST and isinstance(body.get("results"), list)):
            body = answer.understood(now)
        results = body.get("results")
        if not isinstance(results, list):
            raise Unavailable("the answer to a batch has no results", passing=False)
        self._settle(results)

    def _settle(self, results: list[Any]) -> None:
        part = self._parts[0]
        by_index = {
            entry["index"]: entry
            for entry in results
            if isinstance(entry, dict) and isinstance(entry.get("index"), int)
        }
        again = [item for position, item in enumerate(part) if not self._settled(item, by_index.get(position, {}))]
        if not again:
            self._parts.popleft()
            return
        self._parts[0] = again
        said = next(
            (str(entry.get("error")) for entry in by_index.values() if entry.get("retryable")), "no result given"
        )
        raise Unavailable(f"{len(again)} of {len(part)} records were not taken: {said}")

    def _settled(self, item: Item, result: dict[str, Any]) -> bool:
        status = result.get("status")
        if status in self._counts:
            self._counts[status] += 1
            return True
        if status != "rejected" or result.get("retryable") is True:
            return False
        self._rejected.append(Rejection(item.index, str(result.get("error") or "rejected without a reason")))
        return True

    def _halve(self, error: Refused) -> None:
        part = self._parts[0]
        if error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise error
        self._parts.popleft()
        if len(part) == 1:
            self._rejected.append(Rejection(part[0].index, error.error))
            return
        self._parts.extendleft([part[len(part) // 2 :], part[: len(part) // 2]])
        self._budget.refund()
