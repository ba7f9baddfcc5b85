"""What the guards measure, as functions of one file's syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path

import wireside

APP = Path(wireside.__file__).parent
ROOT = APP.parent.parent
FILES = sorted(APP.rglob("*.py"))
assert len(FILES) > 150, "the application is where it was"


def short(path):
    """A file's path as people say it, from the folder of the application on."""
    return path.relative_to(APP).as_posix()


def parsed(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


def long_functions(tree, most):
    """(name, lines) of the functions that are longer than `most` lines, from `def` to the last one."""
    return [
        (node.name, lines)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > most
    ]


def uses_of_any(tree):
    """Lines on which `Any` stands as a type."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Any"]


def work_at_import(tree):
    """Lines of a module that do something besides naming things: calls whose result nobody keeps, loops, changes of tables.

    What registers itself so is there only for those who happened to import the file.
    """
    return sorted(line for statement in tree.body for line in _deeds(statement))


def _deeds(statement):
    if isinstance(statement, ast.If):
        if "__name__" in ast.unparse(statement.test):
            return []
        return [line for each in (*statement.body, *statement.orelse) for line in _deeds(each)]
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert | ast.Pass):
        return []
    if isinstance(statement, ast.Expr):
        return [] if isinstance(statement.value, ast.Constant) else [statement.lineno]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [each.lineno for each in statement.decorator_list if _registers(each)]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [] if all(isinstance(each, ast.Name | ast.Tuple) for each in targets) else [statement.lineno]
    return [statement.lineno]


LAWFUL_DECORATORS = {"dataclass", "cache", "lru_cache", "final", "unique", "runtime_checkable", "contextmanager", "total_ordering"}  # fmt: skip
"""Decorators of a module's declarations that give back what they were given, or a form of it, and write it into no table."""


def _registers(decorator):
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).rpartition(".")[2] not in LAWFUL_DECORATORS


def declared(tree):
    """(name, value or None) of everything public that a module declares."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = [(statement.name, None)]
        elif isinstance(statement, ast.Assign):
            found = [(name, statement.value) for target in statement.targets for name in _names(target)]
        elif isinstance(statement, ast.AnnAssign):
            found = [(name, statement.value) for name in _names(statement.target)]
        else:
            found = []
        yield from ((name, value) for name, value in found if not name.startswith("_"))


def _names(target):
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def module_name(path):
    """A file's name for `import`."""
    parts = ("wireside", *path.relative_to(APP).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree):
    """Local name → (module, name) of what a file imports by name."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def readers(trees):
    """(module, name) of all that some file makes use of, by `trees`, module → syntax tree.

    Being imported, or listed in `__all__`, is no use; a name that goes through several files is used in each of them.
    """
    imports = {module: imported(tree) for module, tree in trees.items()}
    used = set()
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.add((module, node.id))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                package = imports[module].get(node.value.id)
                if package:
                    used.add((".".join(package), node.attr))
    ends = list(used)
    while ends:
        module, name = ends.pop()
        if name in imports.get(module, ()):
            ends.append(imports[module][name])
            used.add(imports[module][name])
    return used


def constants(tree):
    """(name, value) of every number that a module declares, alone or several in a line."""
    found = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            pairs = [(target, statement.value) for target in statement.targets]
        elif isinstance(statement, ast.AnnAssign):
            pairs = [(statement.target, statement.value)]
        else:
            continue
        for target, value in pairs:
            several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            for name, number in zip(target.elts, value.elts, strict=True) if several else [(target, value)]:
                if isinstance(name, ast.Name) and number is not None and _is_number(number):
                    found.append((name.id, ast.literal_eval(number)))
    return found


def _is_number(node):
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def modules_used(tree, known):
    """The modules among `known` that a file imports, for the types alone or not."""
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            used |= (names & known) or ({node.module} & known)
        elif isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names} & known
    return used


def circles(graph):
    """The sets of modules of `graph`, module → the modules it imports, in which each leads to each other."""
    reach = {}
    for module in graph:
        seen, ends = set(), [module]
        while ends:
            for each in graph[ends.pop()] - seen:
                seen.add(each)
                ends.append(each)
        reach[module] = seen
    found = {
        frozenset(other for other in reach[module] if module in reach[other])
        for module in graph
        if module in reach[module]
    }
    return sorted(sorted(each) for each in found if len(each) > 1)
