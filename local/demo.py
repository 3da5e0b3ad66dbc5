"""`make demo`: fills the running stack with a small believable world through the applications' public APIs."""

import datetime as dt
import json
import random
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

from local import settings, stack_file

SEED = 20_250_601
RECORDS = 420
BATCH = 100
DAY = dt.timedelta(days=1)
Record = dict[str, Any]

TRACE = """Traceback (most recent call last):
  File "/var/task/{module}.py", line {line}, in {function}
    return self._gateway.call(request, timeout={timeout})
  File "/var/task/gateway.py", line 88, in call
    raise UpstreamTimeout(f"no answer within {{timeout}} s")
gateway.UpstreamTimeout: no answer within {timeout} s"""

# service -> (log type, level, message, how often)
STORIES: dict[str, list[tuple[str, str, str, int]]] = {
    "checkout": [
        ("application", "INFO", "order {order} placed, {items} items, {amount} EUR", 30),
        ("application", "DEBUG", "cart {order} recalculated in {ms} ms", 14),
        ("application", "WARN", "payment of order {order} took {slow} ms", 5),
        ("application", "ERROR", "order {order} could not be placed: payment did not answer", 3),
    ],
    "payments": [
        ("application", "INFO", "payment {order} captured, {amount} EUR", 26),
        ("application", "TRACE", "provider answered in {ms} ms", 12),
        ("audit", "INFO", "refund of {amount} EUR for order {order} approved by {user}", 4),
        ("application", "ERROR", "provider timed out for payment {order}", 4),
        ("application", "FATAL", "provider's certificate has expired; payments are stopped", 1),
    ],
    "auth": [
        ("access", "INFO", "{user} signed in", 24),
        ("security", "WARN", "{user} gave a wrong password, attempt {items}", 7),
        ("security", "ERROR", "account of {user} locked after 5 wrong passwords", 2),
    ],
    "inventory": [
        ("application", "INFO", "article {article} restocked, {items} pieces", 18),
        ("system", "DEBUG", "cache refreshed in {ms} ms", 10),
        ("system", "WARN", "article {article} is running low: {items} left", 6),
    ],
    "notifications": [
        ("application", "INFO", "e-mail for order {order} handed over", 20),
        ("system", "WARN", "mailbox of {user} is full; tried again in 15 min", 4),
        ("system", "ERROR", "template order-confirmation could not be rendered", 2),
    ],
}
USERS = ("a.moreau", "b.keller", "c.santos", "d.okafor", "e.lindqvist", "f.tanaka")
TROUBLE = frozenset({"ERROR", "FATAL"})


def demo() -> int:
    """Fill every application that runs; running it again adds nothing."""
    endpoints = stack_file.read()["endpoints"]
    if "log_service" not in endpoints:
        print("No application here has a demo yet.")
        return 0
    records = list(world(anchor()))
    statuses: Counter[str] = Counter()
    for start in range(0, len(records), BATCH):
        statuses += send(endpoints["log_service"], records[start : start + BATCH])
    summary = ", ".join(f"{count} {name}" for name, count in sorted(statuses.items()))
    print(f"log_service: {len(records)} records of {len(STORIES)} services over the last day: {summary}")
    print(f"  curl -s '{endpoints['log_service']}/logs/recent?min_level=ERROR&limit=5'")
    return 1 if statuses["rejected"] else 0


def anchor() -> dt.datetime:
    """When the world ends: now, or the instant of an earlier run within the day."""
    file = settings.state() / "demo.json"
    now = dt.datetime.now(dt.UTC)
    if file.exists():
        kept = dt.datetime.fromisoformat(json.loads(file.read_text())["anchor"])
        if now - kept < DAY:
            return kept
    file.write_text(json.dumps({"anchor": now.isoformat()}) + "\n")
    return now


def world(end: dt.datetime) -> Iterator[Record]:
    """The same records for the same end, oldest first."""
    chance = random.Random(SEED)  # noqa: S311  # a story, no secret
    ages = sorted((chance.random() ** 1.5 for _ in range(RECORDS)), reverse=True)
    services = list(STORIES)
    for age in ages:
        service = chance.choices(services, weights=(5, 4, 4, 3, 2))[0]
        yield record(chance, service, end - age * DAY)


def record(chance: random.Random, service: str, at: dt.datetime) -> Record:
    """One line of a service's day."""
    stories = STORIES[service]
    log_type, level, text, _ = chance.choices(stories, weights=[story[3] for story in stories])[0]
    facts = facts_of(chance)
    metadata: dict[str, Any] = {"region": "eu-central-1", "host": f"{service}-{chance.randrange(1, 4)}", **facts}
    if level in TROUBLE:
        metadata["stack_trace"] = trace(chance, service)
    return {
        "service_name": service,
        "log_type": log_type,
        "level": level,
        "message": text.format(**facts),
        "timestamp": at.isoformat(timespec="microseconds"),
        "log_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "metadata": metadata,
    }


def facts_of(chance: random.Random) -> dict[str, Any]:
    """What a line may mention."""
    return {
        "order": f"A-{chance.randrange(10_000, 99_999)}",
        "article": f"SKU-{chance.randrange(100, 999)}",
        "user": chance.choice(USERS),
        "items": chance.randrange(1, 6),
        "amount": round(chance.uniform(5, 400), 2),
        "ms": chance.randrange(3, 90),
        "slow": chance.randrange(1_200, 6_000),
    }


def trace(chance: random.Random, service: str) -> str:
    """A stack trace of the service."""
    line, timeout = chance.randrange(20, 200), chance.choice((2, 5, 10))
    return TRACE.format(module=service, line=line, function=f"call_{service}", timeout=timeout)


def send(base: str, records: list[Record]) -> Counter[str]:
    """Post one batch; returns how many records had which status.

    Raises:
        SystemExit: The application did not take the batch.
    """
    body = json.dumps({"logs": records}).encode()
    request = urllib.request.Request(f"{base}/logs/batch", body, {"Content-Type": "application/json"})  # noqa: S310  # a URL of ours
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # as above
            results = json.load(answer)["results"]
    except urllib.error.HTTPError as error:
        raise SystemExit(f"log_service answered {error.code}: {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise SystemExit(f"log_service does not answer at {base}: {error}. Is the stack running?") from error
    return Counter(result["status"] for result in results)
