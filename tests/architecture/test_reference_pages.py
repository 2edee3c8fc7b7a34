"""What is committed of generated pages and documents is what the code says."""

import pytest

from operations.reference_docs.command import all_settings, generated, root, variables

pytestmark = pytest.mark.static

texts = dict(generated())


@pytest.mark.parametrize("path", texts)
def test_a_generated_file_is_up_to_date(path: str) -> None:
    assert (root / path).read_text() == texts[path], "run: make docs"


def test_no_page_of_a_topic_is_left_over() -> None:
    folder = "docs/reference/topics"
    there = {f"{folder}/{path.name}" for path in (root / folder).iterdir()}
    assert there == {path for path in texts if path.startswith(f"{folder}/")}


def test_every_setting_has_a_description() -> None:
    undocumented = [
        variable
        for settings in all_settings
        for variable, _, description in variables(settings)
        if not description
    ]
    assert undocumented == []
