"""Who may call whom when: the kernel runs on a CPU, and only hardware is called by the clock itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import wireside.kernel

KERNEL = Path(wireside.kernel.__file__).parent
HARDWARE = {"nic.py", "nic_tx.py"}
"""The files that model what a card does by itself, without a CPU."""
FILES = sorted(KERNEL.rglob("*.py"))
assert len(FILES) > 70, "the kernel's rooms are where they were"


def calls_of_the_clock(tree):
    """Lines that plan a call with `Clock.at`, by whatever name the clock goes."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "at"
    ]


def chosen_cpus(tree):
    """Lines that take a CPU by a number written there, instead of the one they run on."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "cpus"
        and isinstance(node.slice, ast.Constant)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_hardware_is_called_by_the_clock(path):
    found = calls_of_the_clock(ast.parse(path.read_text("utf-8")))
    assert not found or path.name in HARDWARE, f"{path.name}: {found}"


def test_the_hardware_named_here_still_needs_the_clock():
    needing = {path.name for path in FILES if calls_of_the_clock(ast.parse(path.read_text("utf-8")))}
    assert needing == HARDWARE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kernel_code_never_picks_a_cpu_to_run_on(path):
    assert not chosen_cpus(ast.parse(path.read_text("utf-8")))
