"""What a mutant is: one small change of a file that some test should notice."""

from __future__ import annotations

import ast
from dataclasses import dataclass

COMPARED = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"}  # fmt: skip
COUNTED = {ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.FloorDiv: "*", ast.LShift: ">>", ast.RShift: "<<", ast.BitAnd: "|", ast.BitOr: "&"}  # fmt: skip
FOR_PEOPLE = (ast.JoinedStr, ast.Assert, ast.Raise)
"""What stands in these is prose, or never runs."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """Bytes `start` to `end` of a file replaced by `text`; `line` is where they begin."""

    path: str
    line: int
    start: int
    end: int
    text: str
    before: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  →  {self.text}"

    def applied(self, source: bytes) -> bytes:
        """The file with this change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants_of(path, source):
    """Every mutant of a file's text, in the order of the text."""
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    found = []
    for node in spoken(ast.parse(source)):
        text = changed(node)
        if text is not None:
            start = begins[node.lineno - 1] + node.col_offset
            end = begins[node.end_lineno - 1] + node.end_col_offset
            before = " ".join(source[start:end].decode().split())
            found.append(Mutant(path, node.lineno, start, end, text, before))
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end))


def spoken(node):
    """The nodes of a tree that do something when the program runs: no types, no prose."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, FOR_PEOPLE) or _for_types(child):
                continue
            yield child
            yield from spoken(child)


def _for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def changed(node):
    """The text of a node turned to something else; None when there is no change worth making."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return f"{ast.unparse(node.left)} {COMPARED[type(node.ops[0])]} {ast.unparse(node.comparators[0])}"
    if isinstance(node, ast.BinOp) and type(node.op) in COUNTED:
        return f"({ast.unparse(node.left)} {COUNTED[type(node.op)]} {ast.unparse(node.right)})"
    if isinstance(node, ast.BoolOp):
        word = " or " if isinstance(node.op, ast.And) else " and "
        return f"({word.join(f'({ast.unparse(value)})' for value in node.values)})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"({ast.unparse(node.operand)})"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return str(not node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return str(node.value + 1)
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return "pass"
    return None
