"""Loading by name leaves nothing behind that later imports meet."""

import sys
from pathlib import Path

import pytest

from runtime.lazy import load_without

optional = "optional_of_the_example"
module = "example_with_an_optional"


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for name in (optional, module):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / f"{optional}.py").touch()
    (tmp_path / f"{module}.py").write_text(
        f"try:\n    import {optional} as present\nexcept ImportError:\n    present = None\n"
    )
    return tmp_path


def test_the_optional_module_is_absent_for_that_import_alone() -> None:
    load_without(optional, module)
    assert sys.modules[module].present is None
    assert optional not in sys.modules


def test_a_failed_import_does_not_hide_the_optional_module(modules: Path) -> None:
    (modules / f"{module}.py").write_text("raise ImportError('broken')")
    with pytest.raises(ImportError, match="broken"):
        load_without(optional, module)
    assert optional not in sys.modules


@pytest.mark.parametrize("loaded", [optional, module])
def test_what_is_loaded_already_stays_as_it_is(loaded: str) -> None:
    there = __import__(loaded)
    before = dict(sys.modules)
    load_without(optional, module)
    assert sys.modules[loaded] is there
    assert {optional, module} & (sys.modules.keys() - before.keys()) == set()
