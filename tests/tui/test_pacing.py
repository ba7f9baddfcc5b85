from wireside.tui.pacing import PATIENCE_S, Pacer


def test_a_terminal_that_never_answers_is_not_paced():
    pacer = Pacer(30)
    for frame in range(100):
        assert pacer.ready(frame / 30)
        pacer.sent(frame / 30)


def test_on_a_slow_line_only_as_many_frames_are_under_way_as_the_round_trip_holds():
    pacer = Pacer(30)
    pacer.sent(0.0)
    pacer.acknowledged(0.06)
    drawn = 0
    while pacer.ready(0.1):
        pacer.sent(0.1)
        drawn += 1
    assert drawn == pacer.window == 4
    pacer.acknowledged(0.2)
    assert pacer.ready(0.2)


def test_a_terminal_that_stops_answering_is_not_waited_for():
    pacer = Pacer(30)
    pacer.sent(0.0)
    pacer.acknowledged(0.001)
    while pacer.ready(0.1):
        pacer.sent(0.1)
    assert not pacer.ready(0.2)
    assert pacer.ready(0.2 + PATIENCE_S)
