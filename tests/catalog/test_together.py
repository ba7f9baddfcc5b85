"""Halves of a declaration that do not match are named before anything runs."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass, replace

import pytest

from tests.house.tree import ROOT
from wireside.catalog.errno import ERRNOS
from wireside.catalog.sockopts import SOCKOPTS
from wireside.catalog.syscalls import SYSCALLS
from wireside.catalog.sysctls import ALL_SYSCTLS, BY_NAME, SOMAXCONN, TCP_SACK
from wireside.catalog.sysctls_tcp import TCP_SYSCTLS
from wireside.catalog.together import DeclarationError, all_sysctls, complete, declared_sysctls, numbered
from wireside.kernel.syscalls.sockopt import GETTERS, SETTERS
from wireside.kernel.syscalls.syscall import HANDLERS
from wireside.scenario.behaviours import BEHAVIOURS
from wireside.sim.programs import PROGRAMS, with_parameters
from wireside.sim.programs.steps import Idle


def test_every_behaviour_has_a_class_and_every_class_a_behaviour():
    assert set(PROGRAMS) == set(BEHAVIOURS)


def test_a_program_without_a_class_is_named():
    with pytest.raises(
        DeclarationError, match="program 'tcp_chatter' is declared, but nothing carries it out"
    ):
        complete("program", [*BEHAVIOURS, "tcp_chatter"], PROGRAMS)
    with pytest.raises(DeclarationError, match="program 'idle' is carried out, but declared nowhere"):
        complete("program", set(BEHAVIOURS) - {"idle"}, PROGRAMS)


def test_a_parameter_that_a_program_does_not_have_is_named():
    @dataclass
    class NoPort:
        backlog: int

    class Toy(Idle):
        PARAMETERS = NoPort

    with pytest.raises(
        DeclarationError, match="parameter 'port' of program 'tcp_echo' is declared, but NoPort has"
    ):
        with_parameters({"tcp_echo": Toy})


def test_every_system_call_has_a_handler():
    assert set(SYSCALLS) - {"sleep"} == set(HANDLERS), "sleep() alone is the program's own"


@pytest.mark.parametrize(("table", "calls"), [(SETTERS, "settable"), (GETTERS, "gettable")])
def test_every_socket_option_has_its_functions(table, calls):
    assert set(table) == {option.name for option in SOCKOPTS.values() if getattr(option, calls)}


def test_every_declared_sysctl_is_known_by_its_name():
    assert set(TCP_SYSCTLS) <= set(ALL_SYSCTLS) == set(BY_NAME.values())
    assert len(BY_NAME) == len(ALL_SYSCTLS)


def test_a_sysctl_that_is_not_imported_is_named():
    with pytest.raises(
        DeclarationError, match=r"net\.ipv4\.tcp_sack' is declared, but catalog\.sysctls does not"
    ):
        all_sysctls({"SOMAXCONN": SOMAXCONN}, (TCP_SACK,))


def test_a_sysctl_under_another_name_is_named():
    with pytest.raises(DeclarationError, match=r"net\.core\.somaxconn' is declared as SOMAXCON"):
        declared_sysctls({"SOMAXCON": SOMAXCONN})
    twin = replace(SOMAXCONN, name="net.ipv4.somaxconn")
    assert declared_sysctls({"SOMAXCONN": twin, "other": 1}) == (twin,)


def test_every_errno_is_returned_by_something_and_means_what_linux_means():
    kernel = "\n".join(path.read_text("utf-8") for path in (ROOT / "app/wireside").glob("[ks]*/**/*.py"))
    for each in ERRNOS.values():
        assert getattr(errno, each.name) == each.number
        assert re.search(rf"\b{each.name}\b", kernel), f"nothing returns {each.name}"


def test_an_errno_without_a_meaning_is_named():
    with pytest.raises(DeclarationError, match="errno 'ETOY' is carried out, but declared nowhere"):
        numbered("errno", "E", ["EAGAIN"], {"EAGAIN": 11, "ETOY": 7, "Error": object()})
