"""OpenAPI 3.1 from an application's routes and pydantic models: the document cannot say another thing than the code."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chalice.app import Chalice, RouteEntry
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/{model}"
type Json = dict[str, Any]
type Schema = type[BaseModel] | Json
REASONS = {
    400: "A field is wrong; `details` names it",
    401: "Not signed",
    403: "Not allowed",
    404: "Not found",
    409: "An Idempotency-Key came with another request, or its first request is still running",
    413: "Too large",
    415: "Content-Type or Content-Encoding not taken here",
    429: "Too many requests; see Retry-After",
    500: "Something broke on our side",
    503: "A store does not answer; see Retry-After",
}
ALWAYS = (429, 500, 503)
ERROR: Json = {
    "type": "object",
    "required": ["success", "error", "code", "requestId"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "string", "description": "A sentence for people"},
        "code": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
        "requestId": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "examples": [{"success": False, "error": "level: must be a text", "code": "ValidationFailed", "requestId": "4f1c"}],
}
KEY_HEADER: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
    "description": "The same key and body within 24 h is answered as the first time, with `Idempotency-Replayed: true`",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a view takes and answers, beside what its route says."""

    query: type[BaseModel] | None = None
    body: Mapping[str, Schema] = field(default_factory=dict)
    """By Content-Type."""
    responses: Mapping[int, Mapping[str, Schema]] = field(default_factory=dict)
    """By status, then by Content-Type."""
    errors: tuple[int, ...] = ()
    idempotent: bool = False


def operation(described: Operation) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Attach the description to a view. Stands below `@app.route`."""

    def attach(view: Callable[..., Any]) -> Callable[..., Any]:
        view.__operation__ = described  # type: ignore[attr-defined]  # a function carries what is said of it
        return view

    return attach


def document(app: Chalice, version: str, security: Mapping[str, Json]) -> Json:
    """The whole document. `security` holds the scheme that every route with an authorizer or an API key needs."""
    entries = [(path, method, entry) for path, methods in app.routes.items() for method, entry in methods.items()]
    references, schemas = _schemas(_described(entry) for _, _, entry in entries)
    paths: dict[str, Json] = {}
    for path, method, entry in sorted(entries, key=lambda e: (e[0], e[1])):
        paths.setdefault(path, {})[method.lower()] = _path_item(entry, references, security)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": app.app_name,
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {**schemas, "Error": ERROR}, "securitySchemes": dict(security)},
    }


def _described(entry: RouteEntry) -> Operation:
    return getattr(entry.view_function, "__operation__", Operation())


def _schemas(operations: Any) -> tuple[dict[type[BaseModel], Json], Json]:  # noqa: ANN401  # an iterable of Operation
    inputs: list[type[BaseModel]] = []
    outputs: list[type[BaseModel]] = []
    for described in operations:
        inputs += _models(described.body)
        outputs += [model for content in described.responses.values() for model in _models(content)]
    wanted: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    wanted += [(model, "validation") for model in dict.fromkeys(inputs)]
    wanted += [(model, "serialization") for model in dict.fromkeys(outputs)]
    references, defined = models_json_schema(wanted, ref_template=REFERENCE)
    return {model: references[model, mode] for model, mode in wanted}, defined.get("$defs", {})


def _models(content: Mapping[str, Schema]) -> list[type[BaseModel]]:
    return [schema for schema in content.values() if isinstance(schema, type)]


def _path_item(entry: RouteEntry, references: Mapping[type[BaseModel], Json], security: Mapping[str, Json]) -> Json:
    described = _described(entry)
    summary, _, description = (inspect.getdoc(entry.view_function) or "").partition("\n\n")
    item: Json = {
        "operationId": entry.view_name,
        "summary": summary.rstrip("."),
        "responses": _responses(described, references),
    }
    if description:
        item["description"] = description
    parameters = _parameters(entry, described)
    if parameters:
        item["parameters"] = parameters
    if described.body:
        item["requestBody"] = {"required": True, "content": _content(described.body, references)}
    if entry.authorizer or entry.api_key_required:
        item["security"] = [{name: []} for name in security]
    return item


def _parameters(entry: RouteEntry, described: Operation) -> list[Json]:
    in_path = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in entry.view_args]
    in_query = _query_parameters(described.query) if described.query else []
    return [*in_path, *in_query, *([KEY_HEADER] if described.idempotent else [])]


def _query_parameters(model: type[BaseModel]) -> list[Json]:
    schema = model.model_json_schema()
    return [
        _query_parameter(name, _without_null(part), required=name in schema.get("required", ()))
        for name, part in schema["properties"].items()
    ]


def _query_parameter(name: str, schema: Json, *, required: bool) -> Json:
    described: Json = {"name": name, "in": "query", "schema": schema}
    text = schema.pop("description", None)
    if text:
        described["description"] = text
    if required:
        described["required"] = True
    if schema.get("type") == "array":
        described |= {"style": "form", "explode": True}
    return described


def _without_null(schema: Json) -> Json:
    """A parameter is there or not; it is never null."""
    kept = {name: value for name, value in schema.items() if name not in {"title", "anyOf"}}
    for option in schema.get("anyOf", ()):
        if option != {"type": "null"}:
            kept |= option
    if kept.get("default", 0) in (None, []):
        del kept["default"]
    return kept


def _responses(described: Operation, references: Mapping[type[BaseModel], Json]) -> Json:
    made: Json = {}
    for status, content in described.responses.items():
        made[str(status)] = {"description": "Done", "content": _content(content, references)}
    error = {"application/json": {"schema": {"$ref": REFERENCE.format(model="Error")}}}
    for status in sorted({*described.errors, *ALWAYS} - set(described.responses)):
        made[str(status)] = {"description": REASONS[status], "content": error}
    return made


def _content(content: Mapping[str, Schema], references: Mapping[type[BaseModel], Json]) -> Json:
    return {kind: _media(schema, references) for kind, schema in content.items()}


def _media(schema: Schema, references: Mapping[type[BaseModel], Json]) -> Json:
    if isinstance(schema, type):
        return {"schema": references[schema]}
    return {"schema": schema} if schema else {}
