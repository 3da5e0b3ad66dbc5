"""20,000 records written by racing threads: found once, tailed once, counted once; rare ones are cheap to find."""

from collections import Counter
from collections.abc import Iterator

import pytest

from local.waiting import until
from tests.support.engine import Engine, Servers

from . import crowd as crowds
from .calling import Api
from .crowd import Crowd
from .proxy import Counting, counting
from .serving import APPLICATION, QUIET, server

COUNTED_SECONDS = 120
MOST_EVALUATED = 100  # of 20,000: a page of ten, looked for in a few partitions


@pytest.fixture(scope="module")
def own_engine() -> Iterator[Engine]:
    """An engine of its own: 20,000 records would slow every other test's queries."""
    running = Engine()
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def crowd(own_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    servers = Servers(own_engine, tmp_path_factory.mktemp("pump"))
    try:
        yield crowds.gather(Api(servers(APPLICATION, QUIET)))
    finally:
        servers.close()


@pytest.fixture(scope="module")
def proxy(own_engine: Engine) -> Iterator[Counting]:
    with counting(own_engine.endpoint) as running:
        yield running


@pytest.fixture(scope="module")
def observed(own_engine: Engine, proxy: Counting) -> Iterator[Api]:
    """The application over the same records, its queries counted."""
    with server(own_engine, {"AWS_ENDPOINT_URL": proxy.url}) as url:
        yield Api(url)


def test_walking_all_services_meets_every_record_exactly_once(crowd: Crowd) -> None:
    assert Counter(log["message"] for log in crowd.api.walk(limit=1000)) == crowd.messages()


@pytest.mark.parametrize("number", range(3))
def test_walking_one_service_meets_each_of_its_records_exactly_once_newest_first(crowd: Crowd, number: int) -> None:
    name = crowd.services[number]

    found = crowd.api.walk(service_name=name, limit=997)

    assert Counter(log["message"] for log in found) == crowd.messages(service_name=name)
    stamps = [log["timestamp"] for log in found]
    assert stamps == sorted(stamps, reverse=True)


def test_a_tail_that_reconnects_all_the_time_meets_no_record_twice_and_misses_none(crowd: Crowd) -> None:
    met = Counter(crowd.tailed)

    assert crowd.in_time
    assert [message for message, times in met.items() if times > 1] == []
    assert crowd.in_time - met.keys() == set()
    assert met.keys() <= crowd.messages().keys()


def test_services_counts_every_record_exactly_once(crowd: Crowd) -> None:
    expected = {
        name: Counter(r["level"] for r in crowd.written if r["service_name"] == name) for name in crowd.services
    }

    def counted() -> dict[str, dict[str, int]]:
        services = crowd.api.found("/services")["services"]
        return {service["service_name"]: service["levels"] for service in services}

    until(lambda: sum(map(sum, (c.values() for c in counted().values()))) >= crowds.RECORDS, COUNTED_SECONDS, "counts")

    assert counted() == expected


@pytest.mark.parametrize("log_type", [None, "application", "audit"])
@pytest.mark.parametrize("scope", ["one service", "all services"])
def test_rare_errors_fill_their_pages_and_few_items_are_evaluated(
    crowd: Crowd, observed: Api, proxy: Counting, scope: str, log_type: str | None
) -> None:
    names = crowd.services[:1] if scope == "one service" else crowd.services
    same = {"level": "ERROR"} | ({"log_type": log_type} if log_type else {})
    expected = sum((crowd.messages(service_name=name, **same) for name in names), Counter[str]())
    asked = same | ({"service_name": names[0]} if scope == "one service" else {})
    proxy.reset()

    page = observed.found("/logs/recent", limit=5, **asked)

    assert page["count"] == 5
    assert proxy.evaluated <= MOST_EVALUATED
    found = Counter(log["message"] for log in observed.walk(limit=5, **asked))
    assert found == expected


@pytest.mark.usefixtures("crowd")
def test_a_page_of_a_filter_without_index_ends_early_and_says_so(observed: Api, proxy: Counting) -> None:
    proxy.reset()

    page = observed.found("/logs/recent", log_type="security", limit=10)

    assert (page["count"], page["partial"]) == (0, True)
    assert proxy.evaluated <= 6_000
    after = observed.found("/logs/recent", log_type="security", limit=10, cursor=page["nextCursor"])
    assert (after["count"], after["nextCursor"] != page["nextCursor"]) == (0, True)
