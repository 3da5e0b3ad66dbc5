"""The JSON Schema of an ExportLogsServiceRequest, for the OpenAPI document."""

from typing import Any

type Json = dict[str, Any]


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


TEXT: Json = {"type": "string", "pattern": "^[^\\u0000]*$"}
NANOS: Json = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$", "description": "Nanoseconds since 1970"}
COUNT: Json = {"type": "integer", "minimum": 0, "maximum": 4_294_967_295}
VALUE: Json = {
    "oneOf": [
        _object(stringValue=TEXT) | {"required": ["stringValue"]},
        _object(boolValue={"type": "boolean"}) | {"required": ["boolValue"]},
        _object(intValue={"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,17})$"}) | {"required": ["intValue"]},
        _object(doubleValue={"type": "number"}) | {"required": ["doubleValue"]},
    ],
    "description": "Also arrayValue, kvlistValue and bytesValue, as OTLP says",
}
ATTRIBUTES: Json = _list(_object(key=TEXT, value=VALUE))
RECORD: Json = _object(
    timeUnixNano=NANOS,
    observedTimeUnixNano=NANOS,
    severityNumber={"type": "integer", "minimum": 0, "maximum": 24},
    severityText=TEXT,
    body=VALUE,
    attributes=ATTRIBUTES,
    droppedAttributesCount=COUNT,
    flags=COUNT,
    traceId={"type": "string", "pattern": "^([0-9A-Fa-f]{32})?$"},
    spanId={"type": "string", "pattern": "^([0-9A-Fa-f]{16})?$"},
)
REQUEST: Json = _object(
    resourceLogs=_list(
        _object(
            resource=_object(attributes=ATTRIBUTES),
            scopeLogs=_list(
                _object(scope=_object(name=TEXT, version=TEXT, attributes=ATTRIBUTES), logRecords=_list(RECORD))
            ),
        )
    )
)
RESPONSE: Json = _object(partialSuccess=_object(rejectedLogRecords={"type": "string"}, errorMessage={"type": "string"}))
