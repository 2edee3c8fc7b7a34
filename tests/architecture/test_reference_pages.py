"""The committed reference pages are what the code says."""

import pytest

from operations.reference import all_settings, folder, pages, variables


@pytest.mark.parametrize("name", pages)
def test_a_reference_page_is_up_to_date(name: str) -> None:
    assert (folder / name).read_text() == pages[name](), "run: make docs"


def test_every_setting_has_a_description() -> None:
    undocumented = [
        variable
        for settings in all_settings
        for variable, _, description in variables(settings)
        if not description
    ]
    assert undocumented == []
