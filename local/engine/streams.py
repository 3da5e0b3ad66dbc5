"""DynamoDB stream records in the snapshot: ministack keeps tables across a restart but forgets their streams."""

import json
from pathlib import Path

from ministack.core import persistence
from ministack.services import dynamodb

FILE = "dynamodb_stream_records.json"
STORES = ("_stream_records", "_stream_trimmed", "_closed_streams")


def save(folder: Path) -> None:
    """Write the records beside the tables they belong to."""
    state = {name: getattr(dynamodb, name) for name in STORES}
    text = json.dumps(state, default=persistence._json_default)  # noqa: SLF001  # the engine's own encoding of its stores
    (folder / FILE).write_text(text)


def restore(folder: Path) -> None:
    """Read the records back; a folder without them is a first start."""
    file = folder / FILE
    if not file.exists():
        return
    state = json.loads(file.read_text(), object_hook=persistence._json_object_hook)  # noqa: SLF001
    for name in STORES:
        getattr(dynamodb, name).update(state[name])
