"""Halves of a declaration that do not match are named before anything runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wireside.catalog.sysctls import ALL_SYSCTLS, BY_NAME, SOMAXCONN, TCP_SACK
from wireside.catalog.sysctls_tcp import TCP_SYSCTLS
from wireside.catalog.together import DeclarationError, all_sysctls, complete, declared_sysctls
from wireside.kernel.syscalls.syscall import HANDLERS
from wireside.scenario.behaviours import BEHAVIOURS
from wireside.scenario.syscalls import SYSCALLS
from wireside.sim.programs import PROGRAMS


def test_every_behaviour_has_a_class_and_every_class_a_behaviour():
    assert set(PROGRAMS) == set(BEHAVIOURS)


def test_a_program_without_a_class_is_named():
    with pytest.raises(
        DeclarationError, match="program 'tcp_chatter' is declared, but nothing carries it out"
    ):
        complete("program", [*BEHAVIOURS, "tcp_chatter"], PROGRAMS)
    with pytest.raises(DeclarationError, match="program 'idle' is carried out, but declared nowhere"):
        complete("program", set(BEHAVIOURS) - {"idle"}, PROGRAMS)


def test_every_system_call_that_a_script_may_name_has_a_handler():
    assert set(SYSCALLS) - {"sleep"} == set(HANDLERS), "sleep() alone is the program's own"


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
