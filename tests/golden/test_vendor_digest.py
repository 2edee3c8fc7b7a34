"""The committed contract is current: documents, generators and generated files are as recorded."""

from pathlib import Path

import pytest

from tests.support import vendor_digest
from tests.support.vendor_digest import REWRITE, SHARED, HeldByDigest, vendor_file


@pytest.mark.static
def test_generators_and_generated_files_are_those_of_the_digest() -> None:
    assert vendor_digest.changed() == [], f"generate again with the documents there, then {REWRITE}"


def test_the_digest_lists_all_that_is_generated() -> None:
    outputs = vendor_digest.recorded()["outputs"]
    assert len([name for name in outputs if name.startswith("schemas/webhooks/")]) == 124
    assert len([name for name in outputs if name.startswith("schemas/examples/")]) == 124
    assert "zoom/operations.json" in outputs
    assert len([name for name in outputs if name.startswith("zoom/resources/")]) == 2 * 29 + 2


@pytest.mark.static
def test_the_documents_are_those_of_the_digest() -> None:
    if not SHARED.is_dir():
        pytest.skip("NOT CHECKED: the vendor's documents are not next to the project")
    assert vendor_digest.documents() == vendor_digest.recorded()["documents"], REWRITE


def test_where_the_documents_are_absent_a_test_is_held_by_the_digest(tmp_path: Path) -> None:
    with pytest.raises(HeldByDigest):
        vendor_file("events.json", folder=tmp_path)


def test_a_document_that_is_not_in_the_digest_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"other\.json is not in the digest"):
        vendor_file("other.json")


def test_prose_of_a_generator_changes_no_digest_and_code_does() -> None:
    code = vendor_digest._code
    assert code('"""One."""\nx = 1  # why') == code('"""Two."""\n\nx = 1')
    assert code("x = 1") != code("x = 2")
