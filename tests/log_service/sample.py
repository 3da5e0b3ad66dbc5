"""Two collections of records: a small one with every corner, a large one for costs and budgets."""

import random
from collections.abc import Iterator

from log_service.chalicelib.domain import DAY_US, HOUR_US, Filters, Level, Record
from tests.fakes.clock import NOON
from tests.log_service.builders import a_record

MIDNIGHT = NOON - NOON % DAY_US
SERVICES = ("payments", "orders", "a/b:c.d-e_f")
RARE = "audit"
RARE_EVERY = 1_000


def _corners() -> Iterator[Record]:
    seeded = random.Random(7)  # noqa: S311  # the same sample every time
    instants = [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1, MIDNIGHT - DAY_US, MIDNIGHT - DAY_US - 1, NOON, NOON, NOON, NOON]
    instants += [seeded.randrange(MIDNIGHT - 2 * DAY_US, NOON) for _ in range(40)]
    for number, instant in enumerate(instants):
        yield a_record(
            number,
            service_name=SERVICES[number % len(SERVICES)],
            level=list(Level)[number % len(Level)],
            log_type=("application", "audit")[number // 2 % 2],
            instant=instant,
        )


SAMPLE = list(_corners())
QUESTIONS = {
    "everything": Filters(),
    "one service": Filters(service_name="payments"),
    "an unknown service": Filters(service_name="nobody"),
    "one service, severe levels": Filters(service_name="orders", levels=frozenset({Level.WARN, Level.FATAL})),
    "severe levels": Filters(levels=frozenset({Level.WARN, Level.ERROR, Level.FATAL})),
    "one severe level": Filters(levels=frozenset({Level.ERROR})),
    "one service, a level that is not severe": Filters("payments", levels=frozenset({Level.INFO})),
    "levels severe and not": Filters(levels=frozenset({Level.DEBUG, Level.ERROR})),
    "a type": Filters(log_type="audit"),
    "a type, one service, severe levels": Filters("payments", "audit", frozenset({Level.WARN, Level.ERROR})),
}


def big_sample(number: int) -> list[Record]:
    """Of one service, a tenth of them WARN, one in a thousand rare, over ten hours until now."""
    step = 10 * HOUR_US // number
    return [
        a_record(
            index,
            level=Level.WARN if index % 10 == 0 else Level.INFO,
            log_type=RARE if index % RARE_EVERY == 0 else "application",
            instant=NOON - index * step,
        )
        for index in range(number)
    ]
