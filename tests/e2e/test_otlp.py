"""OTLP/HTTP as the real SDK speaks it, and its JSON by hand: what goes in comes out equal."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from .calling import JSON, PROTOBUF, Api, unique

OWN = Path(__file__).parent / "data" / "otlp.json"


def shifted(document: dict[str, Any], service: str) -> dict[str, Any]:
    """The same records of this service, the first of them now."""
    made: dict[str, Any] = json.loads(json.dumps(document))
    records = [r for resource in made["resourceLogs"] for scope in resource["scopeLogs"] for r in scope["logRecords"]]
    shift = time.time_ns() // 1_000 * 1_000 - min(int(r["timeUnixNano"]) for r in records)
    for record in records:
        for name in ("timeUnixNano", "observedTimeUnixNano"):
            if name in record:
                record[name] = str(int(record[name]) + shift)
    for resource in made["resourceLogs"]:
        for attribute in resource["resource"]["attributes"]:
            if attribute["key"] == "service.name":
                attribute["value"]["stringValue"] = service
    return made


def plain(value: dict[str, Any]) -> Any:  # noqa: ANN401  # any JSON
    """What an AnyValue in JSON means."""
    ((kind, given),) = value.items()
    match kind:
        case "intValue":
            return int(given)
        case "arrayValue":
            return [plain(part) for part in given["values"]]
        case "kvlistValue":
            return attributes(given["values"])
        case _:
            return given


def attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: plain(pair["value"]) for pair in pairs}


def check_document(api: Api, service: str, document: dict[str, Any]) -> None:
    """Send it shifted to now; every record comes out with its text, ids, attributes and numbers."""
    sent = shifted(document, service)

    reply = api.post("/v1/logs", sent)
    found = api.walk(service_name=service)[::-1]

    assert (reply.status, reply.json) == (200, {})
    (resource,) = sent["resourceLogs"]
    records = [(r, scope["scope"]) for scope in resource["scopeLogs"] for r in scope["logRecords"]]
    assert len(found) == len(records)
    for log, (given, scope) in zip(found, records, strict=True):
        body = plain(given["body"])
        assert log["message"] == body if isinstance(body, str) else json.loads(log["message"]) == body
        metadata = log["metadata"]
        assert metadata.get("attributes", {}) == attributes(given.get("attributes", []))
        assert metadata["resource"] == attributes(resource["resource"]["attributes"])
        assert (metadata["scope"]["name"], metadata["scope"]["version"]) == (scope["name"], scope["version"])
        assert metadata.get("trace_id", "") == given.get("traceId", "").lower()
        assert metadata.get("span_id", "") == given.get("spanId", "").lower()
        assert metadata["severity_number"] == given["severityNumber"]


def test_json_by_hand_comes_out_equal(api: Api, service: str) -> None:
    check_document(api, service, json.loads(OWN.read_text()))


def test_the_example_of_the_specification_comes_out_equal(api: Api, service: str, shared_data: Path) -> None:
    check_document(api, service, json.loads((shared_data / "otlp" / "logs.json").read_text()))


def test_records_older_than_the_retention_are_told_in_partial_success(api: Api) -> None:
    reply = api.post("/v1/logs", json.loads(OWN.read_text()))

    assert reply.status == 200
    assert int(reply.json["partialSuccess"]["rejectedLogRecords"]) == 2
    assert "older" in reply.json["partialSuccess"]["errorMessage"]


def test_protobuf_is_answered_in_protobuf_also_in_part(api: Api) -> None:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.log_records.add(time_unix_nano=1)
    scope.log_records.add(time_unix_nano=time.time_ns())

    reply = api.post("/v1/logs", request.SerializeToString(), PROTOBUF)
    answer = ExportLogsServiceResponse.FromString(reply.body)

    assert (reply.status, reply.headers["content-type"]) == (200, PROTOBUF)
    assert answer.partial_success.rejected_log_records == 1


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
def test_a_request_of_nothing_is_a_success(api: Api, media: str) -> None:
    assert api.post("/v1/logs", b"{}" if media == JSON else b"", media).status == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_sdk_exports_a_programs_log(api: Api, compression: Compression) -> None:
    service = unique("sdk")
    exporter = OTLPLogExporter(endpoint=f"{api.url}/v1/logs", compression=compression)
    provider = LoggerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.getLogger(service)
    logger.addHandler(LoggingHandler(logger_provider=provider))

    for number in range(700):
        logger.warning("ünïcode line %d", number, extra={"number": number, "ratio": number / 8})
    provider.shutdown()
    logger.handlers.clear()
    found = api.walk(service_name=service)[::-1]

    assert [log["message"] for log in found] == [f"ünïcode line {number}" for number in range(700)]
    assert {log["level"] for log in found} == {"WARN"}
    assert [log["metadata"]["attributes"]["number"] for log in found] == list(range(700))
    assert [log["metadata"]["attributes"]["ratio"] for log in found] == [number / 8 for number in range(700)]
