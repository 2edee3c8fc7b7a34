"""Tests stand where the code stands that they are for, and none depends on when it runs."""

import ast
from collections.abc import Iterator
from pathlib import Path

root = Path(__file__).parents[2]
tests = root / "tests"
mirrors = ("unit", "property", "component")
longest_lines = 400

of_this_moment = {"time_ns", "monotonic", "now", "today", "signed"}
"""What is called for the present time, or signs with it."""


def python_files() -> list[Path]:
    return sorted(tests.rglob("*.py"))


def test_every_folder_of_tests_is_a_folder_of_the_code() -> None:
    folders = {
        path.parent.relative_to(tests / kind)
        for kind in mirrors
        for path in (tests / kind).rglob("*.py")
    }
    code = {folder for folder in folders if (root / folder).is_dir()}
    assert folders - code == {Path("support")}  # helpers have tests as well
    assert (tests / "support").is_dir()


def test_no_file_is_longer_than_400_lines() -> None:
    lines = {path.relative_to(root): path.read_text().count("\n") for path in python_files()}
    assert {path: count for path, count in lines.items() if count > longest_lines} == {}


def called_name(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def early_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that happen when the module is imported: not those within functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*child.args.defaults, *filter(None, child.args.kw_defaults)]
            for early in (*child.decorator_list, *defaults):
                yield from early_calls(ast.Expression(early))
            continue
        if isinstance(child, ast.Call):
            if called_name(child) == "list":
                continue  # of a table of cases it leaves the names alone
            yield child
        yield from early_calls(child)


def is_of_this_moment(call: ast.Call, dated: set[str]) -> bool:
    has_own_time = any(keyword.arg == "timestamp" for keyword in call.keywords)
    is_clock = called_name(call) == "time" and not call.args
    return is_clock or (called_name(call) in dated and not has_own_time)


def dated_functions(tree: ast.Module, dated: set[str]) -> set[str]:
    """Return ``dated`` with the functions of the module that call one of them."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = set(dated)
    for _ in functions:  # one may call the next
        names |= {
            function.name
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and is_of_this_moment(node, names)
        }
    return names


def early_values(source: str) -> list[str]:
    """Return the calls of a module that take the present time when it is imported."""
    tree = ast.parse(source)
    dated = dated_functions(tree, set(of_this_moment))
    return [ast.unparse(call) for call in early_calls(tree) if is_of_this_moment(call, dated)]


def test_nothing_is_signed_or_dated_before_its_case_runs() -> None:
    """A run may take longer than a signature lasts, and midnight may be in between."""
    early = {path.relative_to(root): early_values(path.read_text()) for path in python_files()}
    assert {path: calls for path, calls in early.items() if calls} == {}


def test_a_planted_early_value_is_found() -> None:
    planted = """
def forged():
    return signed(b"")

def at(when=datetime.now()): ...

@pytest.mark.parametrize("raw", [forged(), lambda: forged()])
def test_it(raw):
    assert time.time()

began_s = time.time()
"""
    assert early_values(planted) == ["datetime.now()", "forged()", "time.time()"]
