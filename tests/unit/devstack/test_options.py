import pytest

from devstack import ALL_PARTS, DevstackOptions
from devstack.options import KAFKA_VERSIONS, chosen_kafka


def test_defaults_are_all_parts_on_free_ports_in_a_local_folder() -> None:
    options = DevstackOptions()
    assert options.parts == ALL_PARTS
    assert set(options.ports.values()) == {0}
    assert str(options.directory) == ".devstack"


def test_no_part_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="parts must be some of kafka, postgres, s3; got none"):
        DevstackOptions(parts=frozenset())


def test_an_unknown_part_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="got kafka, redis"):
        DevstackOptions(parts=frozenset({"kafka", "redis"}))  # type: ignore[arg-type]  # the case


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused_by_name(port: int) -> None:
    with pytest.raises(ValueError, match=f"s3_port must be 0 to 65535; got {port}"):
        DevstackOptions(s3_port=port)


def test_the_first_version_of_kafka_runs_unless_the_variable_names_another() -> None:
    assert chosen_kafka({}) == chosen_kafka({"ZCC_DEVSTACK_KAFKA": ""}) == KAFKA_VERSIONS[0]
    assert chosen_kafka({"ZCC_DEVSTACK_KAFKA": "4.4.0"}) == "4.4.0"


def test_a_version_of_kafka_without_a_lock_is_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match=r"ZCC_DEVSTACK_KAFKA must be one of 4\.3\.1, 4\.4\.0; got '3'"
    ):
        chosen_kafka({"ZCC_DEVSTACK_KAFKA": "3"})
