"""The handler's buffer: what goes first, what gives way."""

from log_client.batches import Item
from log_client.buffer import Buffer, Buffering


def bodies(buffer: Buffer) -> list[bytes]:
    return [item.body for item in buffer.take()]


def test_what_is_put_back_goes_before_what_came_meanwhile() -> None:
    buffer = Buffer(Buffering())
    for body in (b"1", b"2"):
        buffer.add(Item(0, body), 0.0)
    taken = buffer.take()
    buffer.add(Item(0, b"3"), 0.0)

    gone = buffer.put_back(taken, 0.0)

    assert gone == 0
    assert bodies(buffer) == [b"1", b"2", b"3"]


def test_the_oldest_give_way_when_there_is_no_room_for_all() -> None:
    buffer = Buffer(Buffering(records=2))
    buffer.add(Item(0, b"1"), 0.0)
    taken = buffer.take()
    buffer.add(Item(0, b"2"), 0.0)
    buffer.add(Item(0, b"3"), 0.0)

    gone = buffer.put_back(taken, 0.0)

    assert gone == 1
    assert bodies(buffer) == [b"2", b"3"]


def test_it_is_due_when_the_oldest_has_waited_long_enough() -> None:
    buffer = Buffer(Buffering(interval=5.0))
    empty = buffer.due(100.0)
    buffer.add(Item(0, b"1"), 100.0)

    assert not empty
    assert not buffer.due(104.9)
    assert buffer.due(105.0)
