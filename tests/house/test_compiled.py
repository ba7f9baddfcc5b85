"""What the kernel must keep to so that it can be compiled with its types, held over the syntax tree."""

from __future__ import annotations

import ast
import socket

import pytest

from tests.house.tree import APP, ROOT, imported, parsed, short

KERNEL = sorted((APP / "kernel").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "mutants" not in path.parts)
BUILT_IN = {
    "int",
    "str",
    "float",
    "bytes",
    "list",
    "dict",
    "set",
    "tuple",
    "deque",
    "OrderedDict",
    "defaultdict",
    "Counter",
}


def subclasses_of_built_ins(tree):
    """Classes whose objects a compiler would take for plain numbers and containers."""
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).partition("[")[0].rpartition(".")[2] in BUILT_IN for base in node.bases)
    ]


def oddities_in_class_bodies(tree):
    """Lines in the body of a class with an `if`, such as `if TYPE_CHECKING`, with several names at once, or a made property."""
    statements = [each for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.body]
    return [
        each.lineno
        for each in statements
        if isinstance(each, ast.If)
        or (
            isinstance(each, ast.Assign) and (len(each.targets) > 1 or isinstance(each.targets[0], ast.Tuple))
        )
        or (isinstance(each, ast.Assign) and ast.unparse(each.value).startswith("property("))
    ]


def loose_constants(tree):
    """Names in capitals, of a module, that are not declared `Final`."""
    found = []
    for each in tree.body:
        if isinstance(each, ast.Assign) and not ast.unparse(each.value).startswith("TypeVar("):
            found += [
                node.id for target in each.targets for node in ast.walk(target) if isinstance(node, ast.Name)
            ]
        elif isinstance(each, ast.AnnAssign) and not ast.unparse(each.annotation).startswith("Final"):
            found += [each.target.id] if isinstance(each.target, ast.Name) else []
    return [name for name in found if name.isupper()]


def cpu_places():
    """Function or method of the kernel → at which place of a call, `self` apart, its CPU stands."""
    found = {}
    for path in KERNEL:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                names = [arg.arg for arg in node.args.args if arg.arg != "self"]
                if "cpu" in names:
                    found.setdefault(node.name, set()).add(names.index("cpu"))
    return {name: places.pop() for name, places in found.items() if len(places) == 1}


def stand_ins(tree, places):
    """Lines that call the kernel with something that cannot be a CPU, and classes that play one."""
    found = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name.endswith("Cpu")
    ]
    known = {
        name for name, (module, _) in imported(tree).items() if (module or "").startswith("wireside.kernel")
    }
    for call in ast.walk(tree):
        if not known or not isinstance(call, ast.Call):
            continue
        of, _, name = ast.unparse(call.func).rpartition(".")
        place = places.get(name)
        if place is None or place >= len(call.args) or not (of or name in known):
            continue
        if of and hasattr(socket.socket, name):
            continue  # stories on the real kernel call the sockets of Python
        given = call.args[place]
        if isinstance(given, ast.Constant | ast.Lambda) or "SimpleNamespace" in ast.dump(given):
            found.append(call.lineno)
    return found


@pytest.mark.parametrize("path", KERNEL, ids=short)
def test_the_kernel_makes_no_numbers_and_containers_of_its_own(path):
    assert subclasses_of_built_ins(parsed(path)) == []


@pytest.mark.parametrize("path", KERNEL, ids=short)
def test_the_body_of_a_class_is_plain(path):
    assert oddities_in_class_bodies(parsed(path)) == []


@pytest.mark.parametrize("path", KERNEL, ids=short)
def test_a_constant_says_that_it_is_final(path):
    assert loose_constants(parsed(path)) == []


def test_tests_give_the_kernel_a_real_cpu():
    places = cpu_places()
    assert len(places) > 200
    found = {path.relative_to(ROOT).as_posix(): stand_ins(parsed(path), places) for path in TESTS}
    assert not {path: lines for path, lines in found.items() if lines}


def test_each_of_these_is_found():
    text = "A = 1\nB: Final = 1\nC: int = 1\nD, E = 1, 2\nT = TypeVar('T')\nFlow = tuple[int, int]\n_F = 1"
    assert loose_constants(ast.parse(text)) == ["A", "C", "D", "E", "_F"]
    assert subclasses_of_built_ins(
        ast.parse("class A(deque[int]): ...\nclass B(C, int): ...\nclass D(C): ...")
    ) == ["A", "B"]
    text = "class A:\n    if TYPE_CHECKING:\n        x: int\n    a, b = 1, 2\n    c = property(get)\n    d = e = 1\n    f = 1"
    assert oddities_in_class_bodies(ast.parse(text)) == [2, 4, 5, 6]
    text = "from wireside.kernel.core import f\nf(None, 1)\nx.g(1, None)\nf(cpu)\nclass FakeCpu: ...\nf(SimpleNamespace(now=1))\ng(1, None)"
    assert sorted(stand_ins(ast.parse(text), {"f": 0, "g": 1})) == [2, 3, 5, 6]
