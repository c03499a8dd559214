"""The API does what its description says, whatever it is asked (schemathesis makes up the requests)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from worlds import Site, World

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Serve a world with findings, and give it with the description of its API."""
    world = World(tmp_path_factory.mktemp("world"))
    world.happen(*(world.call(30 + n, f"bucket-{n}", denied=True) for n in range(3)), world.call(1, "else"))
    site = Site(world.place)
    yield site, schemathesis.openapi.from_dict(site.app.openapi())
    site.close()


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"]
)
def test_no_answer_is_a_surprise(described, mode):
    """No request, whether it fits the description or not, ends in a server error or in an answer that it does not have."""
    site, schema = described
    number = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.endswith("/events"):  # which goes on for ever
            continue
        if mode is GenerationMode.NEGATIVE and not (
            operation.query or operation.path_parameters or operation.body
        ):
            continue  # nothing of it can be unfitting

        @settings(max_examples=12, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case):
            answer = case.call(
                base_url=site.address, headers={"Authorization": f"Bearer {site.secrets['write']}"}
            )
            case.validate_response(answer, checks=CHECKS)

        ask()
        number += 1
    assert number >= 8
