"""The small rules of the local stack, each by itself."""

import io
import json
from pathlib import Path

import pytest

from local import demo, settings, stack_file, templates, watching
from local.bodies import read
from local.envelopes import Refused, unauthorized
from local.ports import PortHeld, take
from local.processes import describe
from local.pump.invocation import failed_items
from local.terminal import Terminal
from tests.support.engine import free_port


def test_each_part_has_the_port_of_the_contract_unless_it_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_SERVICE_PORT", raising=False)
    assert settings.port("log_service") == 8002

    monkeypatch.setenv("LOG_SERVICE_PORT", "9999")

    assert settings.port("log_service") == 9999


@pytest.mark.parametrize("given", ["0", "65536", "-1", "x", ""])
def test_a_port_that_is_none_is_refused_by_the_variables_name(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("ENGINE_PORT", given)

    with pytest.raises(ValueError, match="ENGINE_PORT"):
        settings.port("engine")


def test_a_part_inherits_no_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")

    environment = settings.child_environment(settings.application_environment("http://engine", {"LOGS": "x"}))

    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ENDPOINT_URL"] == "http://engine"
    assert (environment["STAGE"], environment["LOGS"]) == ("local", "x")


def test_shared_code_belongs_to_every_application(tmp_path: Path) -> None:
    applications = ["a", "b"]

    assert watching.affected([str(tmp_path / "b" / "app.py")], tmp_path, applications) == ["b"]
    assert watching.affected([str(tmp_path / "common" / "x.py")], tmp_path, applications) == ["a", "b"]


def test_only_source_files_matter() -> None:
    matters = watching.SourceFilter()

    assert matters(None, "/app/app.py")
    assert matters(None, "/app/resources.yaml")
    assert not matters(None, "/app/data.sqlite")
    assert not matters(None, "/app/.chalice/deployed/local.json")


def test_a_template_keeps_its_intrinsic_functions(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("Resources: {A: {Type: T, Properties: {x: !Ref B, y: !GetAtt B.Arn, z: !Sub [a, {b: !Ref C}]}}}")

    found = templates.resources(templates.load(file), "T")["A"]

    assert found == {"x": {"Ref": "B"}, "y": {"Fn::GetAtt": "B.Arn"}, "z": {"Fn::Sub": ["a", {"b": {"Ref": "C"}}]}}


def test_a_held_port_names_its_holder_and_the_variable_that_moves_it() -> None:
    port = free_port()
    with take("engine", port), pytest.raises(PortHeld, match=rf"Port {port} \(engine\) .* pid \d+: .*ENGINE_PORT="):
        take("engine", port)


def test_the_demo_is_the_same_world_for_the_same_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUINTET_ROOT", str(tmp_path))
    settings.state().mkdir()

    first, second = list(demo.world(demo.anchor())), list(demo.world(demo.anchor()))

    assert first == second
    assert {record["service_name"] for record in first} == set(demo.STORIES)
    assert {record["level"] for record in first} == {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
    assert any("Traceback" in record["metadata"].get("stack_trace", "") for record in first)


def test_the_first_visit_is_json_that_can_be_pasted() -> None:
    lines = stack_file.FIRST_VISIT["log_service"]

    bodies = [json.loads(line.split(" -d '")[1].rstrip("'")) for line in lines if " -d " in line]

    assert len(bodies) == 2
    assert len(bodies[1]["logs"]) == 2


def test_lines_are_plain_where_nobody_sees_colour(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(color=True).line("part", "text")

    assert capsys.readouterr().out == "part | text\n"


def test_an_end_is_said_in_words() -> None:
    assert (describe(-9), describe(3)) == ("signal SIGKILL", "exit code 3")


def test_only_a_batch_response_names_failures() -> None:
    assert failed_items({"batchItemFailures": [{"itemIdentifier": "a"}]}) == {"a"}
    assert failed_items(None) == failed_items([1]) == failed_items({}) == set()


def test_a_chunked_body_is_bounded_before_it_is_read() -> None:
    with pytest.raises(Refused) as refused:
        read(io.BytesIO(b"ffffffff\r\n"), None)

    assert refused.value.status == 413


def test_a_401_says_how_to_authenticate() -> None:
    assert unauthorized().answer("id").headers["WWW-Authenticate"] == "Bearer"
