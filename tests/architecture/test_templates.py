"""What every application's templates hold, and that CloudFormation will take them."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from cfnlint.api import lint

from deploy.packages import ROOT, Package
from tests.architecture.rules import RULES
from tests.architecture.sources import applications
from tests.architecture.templates import Subject, source_words

if TYPE_CHECKING:
    from cfnlint.config import ManualArgs

LINT_EXCEPTIONS: dict[str, str] = {}  # rule id -> why it does not hold for us
TEMPLATE_BYTES = 51_200  # what CloudFormation takes without S3
POWERTOOLS = {"POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}

each_application = pytest.mark.parametrize("app", applications())


def complaints(text: str) -> list[str]:
    """What cfn-lint says, warnings and notes included, without the listed exceptions."""
    asked: ManualArgs = {"include_checks": ["I"], "ignore_checks": list(LINT_EXCEPTIONS)}
    return [str(match) for match in lint(text, regions=["us-east-1"], config=asked)]


@each_application
def test_resources_are_clean_for_cfn_lint(app: str) -> None:
    assert complaints((ROOT / app / "resources.yaml").read_text()) == []


@each_application
def test_the_merged_package_is_clean_for_cfn_lint_before_and_after_sam(
    app: str, packaged: Callable[[str], Package], subject: Callable[[str], Subject]
) -> None:
    assert complaints(json.dumps(packaged(app).template)) == []
    assert complaints(json.dumps(subject(app).edge)) == []


@each_application
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_both_stacks_keep_the_rule(
    app: str, rule: Callable[[Subject], Iterator[str]], subject: Callable[[str], Subject]
) -> None:
    assert list(rule(subject(app))) == []


@each_application
def test_resources_fit_into_one_request(app: str) -> None:
    assert len((ROOT / app / "resources.yaml").read_bytes()) < TEMPLATE_BYTES


@each_application
def test_a_release_can_fill_every_parameter_that_has_no_default(app: str, subject: Callable[[str], Subject]) -> None:
    stacks = subject(app)
    open_ones = {name for name, declared in stacks.edge["Parameters"].items() if "Default" not in declared}

    assert open_ones <= {"Stage", *stacks.resources["Outputs"]}


@each_application
def test_the_api_is_regional_and_its_functions_know_no_other_api(app: str, subject: Callable[[str], Subject]) -> None:
    apis = dict(subject(app).all_of("AWS::ApiGateway::RestApi"))

    assert [api["Properties"]["EndpointConfiguration"] for api in apis.values()] == [{"Types": ["REGIONAL"]}]


@each_application
def test_each_function_has_a_role_of_its_own(app: str, subject: Callable[[str], Subject]) -> None:
    roles = [
        function["Properties"]["Role"]["Fn::GetAtt"][0] for _, function in subject(app).all_of("AWS::Lambda::Function")
    ]

    assert len(roles) == len(set(roles)) > 0


@each_application
def test_the_code_knows_every_environment_variable_of_its_functions(
    app: str, subject: Callable[[str], Subject]
) -> None:
    known = source_words(ROOT / app / "chalicelib", ROOT / "common") | POWERTOOLS
    given = {
        name
        for _, function in subject(app).all_of("AWS::Lambda::Function")
        for name in function["Properties"]["Environment"]["Variables"]
    }

    assert given - known == set()
