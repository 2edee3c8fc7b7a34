import socket
from pathlib import Path

import pytest

from tests.support.stack import chosen_source, engine_answers


@pytest.mark.parametrize("source", ["containers", "devstack"])
def test_the_variable_forces_the_source_of_the_stack(source: str) -> None:
    assert chosen_source({"ZCC_TEST_STACK": source}) == (source, "ZCC_TEST_STACK says so")


def test_devstack_is_taken_where_no_container_engine_answers(tmp_path: Path) -> None:
    environment = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    assert chosen_source(environment) == ("devstack", "no container engine answers")


def test_another_source_is_refused() -> None:
    with pytest.raises(ValueError, match="ZCC_TEST_STACK must be containers or devstack; got 'no'"):
        chosen_source({"ZCC_TEST_STACK": "no"})


def test_an_engine_that_refuses_connections_does_not_answer() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        assert not engine_answers({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
