"""Whatever is typed, and however the program ends or stops, the terminal is as it was before."""

import os
import random
import shlex
import signal
import sys

import pytest

from tests.tui.terminal import PROGRAM, Terminal
from wireside.tui.app import CRASHED

FAKE = shlex.join([sys.executable, str(PROGRAM), "fast", "patient"])


def running(*arguments, **options):
    terminal = Terminal(*(arguments or ("fast",)), **options)
    assert terminal.shows("quit")
    return terminal


def restored(terminal):
    return (
        terminal.modes() == terminal.before
        and terminal.sent.rfind(b"\x1b[?1049l") > terminal.sent.rfind(b"\x1b[?1049h")
        and terminal.sent.rfind(b"\x1b[?25h") > terminal.sent.rfind(b"\x1b[?25l")
        and terminal.sent.rfind(b"\x1b[?2004l") > terminal.sent.rfind(b"\x1b[?2004h")
        and terminal.sent.rfind(b"\x1b[?1004l") > terminal.sent.rfind(b"\x1b[?1004h")
        and terminal.sent.rfind(b"\x1b[?7h") > terminal.sent.rfind(b"\x1b[?7l")
        and terminal.sent.rfind(b"\x1b[<u") > terminal.sent.rfind(b"\x1b[>")
    )


def in_shell(command, **options):
    """The command as a job of a shell that prompts; bash, for it controls jobs in the same way everywhere."""
    terminal = Terminal(argv=["/bin/bash", "--norc", "--noprofile", "-i"], PS1="prompt> ", **options)
    assert terminal.shows("prompt>")
    terminal.press(command.encode() + b"\n")
    return terminal


@pytest.mark.parametrize(
    "typed",
    [
        b"\xe9",
        b"\xff",
        b"\xe1\xe2",
        b"\xc3",
        b"\x9b",
        b"\xf0\x9f",
        b"\x1b[99999999999999;1u",
        b"\x1b[1114112u",
    ],
    ids=lambda typed: repr(typed)[2:-1],
)
def test_bytes_that_are_no_keys_are_no_keys(typed):
    terminal = running()
    terminal.press(typed)
    terminal.press(b" ")
    assert terminal.shows("paused")
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert restored(terminal)


def test_random_bytes_do_not_end_the_program():
    terminal = running()
    noise = random.Random(7)
    ends = set(b"q\x03\x11\x1a")  # q, Ctrl-C, Ctrl-Q and Ctrl-Z do what they are for
    for _ in range(60):
        typed = bytes(b for b in noise.randbytes(24) if b not in ends)
        terminal.press(b"\x1b[" * noise.randrange(2) + typed)
        terminal.pump(0.01)
    terminal.settle()
    terminal.press(b"\x03")
    assert terminal.wait() == 0
    assert restored(terminal)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_from_outside_ends_it_with_the_terminal_restored(signum):
    terminal = running()
    terminal.kill(signum)
    assert terminal.wait() == 128 + signum
    assert restored(terminal)
    assert b"Traceback" not in terminal.sent


def test_a_closed_window_ends_it():
    terminal = running()
    terminal.close()
    pid, status = os.waitpid(terminal.pid, 0)
    assert pid == terminal.pid
    assert os.waitstatus_to_exitcode(status) in {128 + signal.SIGHUP, -signal.SIGHUP}


def test_a_closed_window_ends_it_even_when_hangups_are_ignored():
    terminal = in_shell(f"trap '' HUP; exec {FAKE}")
    assert terminal.shows("quit")
    terminal.close()
    _, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP


@pytest.mark.parametrize("key", [b"q", b"\x03", b"\x11"], ids=["q", "ctrl+c", "ctrl+q"])
def test_the_help_page_can_be_left_for_good(key):
    terminal = running()
    terminal.press(b"?")
    assert terminal.shows("any key closes")
    terminal.press(key)
    assert terminal.wait() == 0


@pytest.mark.parametrize("key", [b"\x03", b"\x11"], ids=["ctrl+c", "ctrl+q"])
def test_it_can_be_left_while_a_value_is_typed(key):
    terminal = running()
    terminal.press(b"\r")
    assert terminal.shows("Esc cancels")
    terminal.press(key)
    assert terminal.wait() == 0


@pytest.mark.parametrize("leave", [b"q", signal.SIGTERM], ids=["q", "SIGTERM"])
def test_over_a_slow_link_no_answer_is_echoed_at_the_prompt(leave):
    terminal = in_shell(f"{FAKE}; echo status=$?", answer_after_s=0.2)
    assert terminal.shows("quit")
    if isinstance(leave, bytes):
        terminal.press(leave)
    else:
        os.killpg(os.tcgetpgrp(terminal.fd), leave)
    assert terminal.until(lambda: b"status=" in terminal.sent.partition(b"\x1b[?1049l")[2])
    assert terminal.until(lambda: not terminal.unanswered)
    terminal.press(b"echo the-end\n")
    assert terminal.until(lambda: terminal.sent.count(b"the-end") >= 2)
    after = terminal.sent.partition(b"\x1b[?1049l")[2]
    assert b"2026" not in after
    assert b"$y" not in after
    assert b"status=0" in after or b"status=143" in after


def test_a_terminal_that_never_answers_is_left_at_once():
    terminal = running(answer_after_s=None)
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert restored(terminal)


def test_apples_terminal_is_asked_nothing():
    terminal = running(TERM_PROGRAM="Apple_Terminal")
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert b"$p" not in terminal.sent


@pytest.mark.parametrize("renderer", ["fast", "safe"])
@pytest.mark.parametrize("late_s", [0.0, 0.2])
def test_ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_whole_picture_back(renderer, late_s):
    command = shlex.join([sys.executable, str(PROGRAM), renderer, "paused", "patient"])
    terminal = in_shell(command, answer_after_s=late_s)
    assert terminal.shows("quit")
    terminal.settle()
    picture = terminal.display
    modes = terminal.modes()
    terminal.press(b"\x1a")
    assert terminal.until(lambda: b"Stopped" in terminal.sent)
    assert terminal.until(lambda: not terminal.unanswered)
    terminal.press(b"echo $((40 + 2))\n")
    assert terminal.until(lambda: b"42\r\n" in terminal.sent)
    assert b"$y" not in terminal.sent.partition(b"Stopped")[2]
    terminal.screen.reset()  # whatever the shell has done to the screen
    terminal.press(b"fg\n")
    assert terminal.until(lambda: terminal.display == picture)
    assert terminal.modes() == modes
    terminal.press(b".")
    assert terminal.until(lambda: terminal.display != picture)
    terminal.press(b"q")
    assert terminal.until(lambda: terminal.sent.count(b"prompt>") == 4)
    terminal.press(b"exit\n")
    assert terminal.wait() == 0


def test_stopped_from_outside_it_comes_back_whole_too():
    terminal = running("fast", "paused")
    terminal.settle()
    picture = terminal.display
    terminal.kill(signal.SIGTSTP)
    _, status = os.waitpid(terminal.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    terminal.settle(quiet=0.1)
    assert restored(terminal)
    terminal.screen.reset()
    terminal.kill(signal.SIGCONT)
    assert terminal.until(lambda: terminal.display == picture)
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert restored(terminal)


def test_after_a_stop_that_nobody_can_answer_the_picture_is_whole_again():
    terminal = running("safe", "paused")
    terminal.settle()
    picture = terminal.display
    terminal.kill(signal.SIGSTOP)
    os.waitpid(terminal.pid, os.WUNTRACED)
    terminal.screen.reset()
    terminal.kill(signal.SIGCONT)
    assert terminal.until(lambda: terminal.display == picture)
    terminal.press(b"q")
    assert terminal.wait() == 0
    assert restored(terminal)


def test_ctrl_z_without_a_shell_to_come_back_from_stops_nothing():
    terminal = running("fast", "paused")
    terminal.settle()
    picture = terminal.display
    terminal.press(b"\x1a")
    assert terminal.until(lambda: terminal.sent.count(b"\x1b[?1049h") == 2)
    assert terminal.until(lambda: terminal.display == picture)
    terminal.press(b"q")
    assert terminal.wait() == 0


def test_a_crash_says_so_and_restores_the_terminal():
    terminal = running("fast", "crash")
    terminal.press(b".")
    assert terminal.wait() == CRASHED == os.EX_SOFTWARE
    assert restored(terminal)
    assert b"ZeroDivisionError" in terminal.sent
