from wireside.tui.terminal import FIRST_ANSWER_S, LAST_ANSWER_S, QUERY, Questions

ANSWER = "\x1b[?2026;2$y"


def test_every_question_is_waited_for():
    questions = Questions()
    questions.asked(QUERY, 0.0)
    questions.asked(QUERY, 0.1)
    questions.heard(ANSWER)
    assert not questions.wait(0)
    questions.heard(ANSWER)
    assert questions.wait(0)


def test_an_answer_in_two_pieces_is_one_answer():
    questions = Questions()
    questions.asked(QUERY, 0.0)
    questions.heard("x" + ANSWER[:6])
    assert not questions.wait(0)
    questions.heard(ANSWER[6:] + "y")
    assert questions.wait(0)
    questions.asked(QUERY, 0.0)
    questions.heard("z")
    assert not questions.wait(0)


def test_what_was_asked_before_an_answered_question_is_never_answered():
    questions = Questions()
    questions.asked("\x1b[?2048$p", 0.0)
    questions.asked(QUERY, 0.0)
    questions.heard(ANSWER)
    assert questions.wait(0)


def test_an_answer_that_nobody_asked_for_answers_nothing():
    questions = Questions()
    questions.asked(QUERY, 0.0)
    questions.heard("\x1b[?1004;1$y")
    assert not questions.wait(0)


def test_a_silent_terminal_is_given_one_chance():
    questions = Questions()
    assert questions.patience_s(9.0) == 0
    questions.asked(QUERY, 10.0)
    assert questions.patience_s(10.25) == FIRST_ANSWER_S - 0.25
    assert questions.patience_s(12.0) == 0
    questions.heard(ANSWER)
    assert questions.patience_s(60.0) == LAST_ANSWER_S
