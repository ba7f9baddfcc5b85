from wireside.paint.surface import Rect, Surface


def test_text_outside_is_clipped_on_all_sides():
    surface = Surface(5, 2)
    surface.put(-2, 0, "abcd", 1)
    surface.put(3, 1, "wxyz", 2)
    surface.put(0, 7, "never", 3)
    assert surface.text() == "cd\n   wx\n"


def test_a_row_is_told_as_runs_of_equal_style():
    surface = Surface(6, 1)
    surface.put(1, 0, "ab", 7)
    surface.put(3, 0, "c", 9)
    assert list(surface.runs(0)) == [(" ", 0), ("ab", 7), ("c", 9), ("  ", 0)]


def test_only_rows_that_differ_in_text_or_style_have_changed():
    one, other = Surface(3, 4), Surface(3, 4)
    one.put(0, 1, "x", 0)
    one.restyle(Rect(0, 3, 1, 1), 5)
    assert one.changed_rows(other) == [1, 3]
    other.copy_from(one)
    assert one.changed_rows(other) == []


def test_a_box_has_a_frame_and_keeps_its_inside():
    surface = Surface(5, 3)
    surface.put(2, 1, "i", 0)
    surface.box(Rect(0, 0, 5, 3), "+-+|++", 0)
    assert surface.text() == "+---+\n| i |\n+---+\n"


def test_blit_puts_one_surface_on_another_and_clips_it():
    small, large = Surface(3, 2), Surface(4, 2)
    small.put(0, 0, "abc", 1)
    large.blit(small, 2, 1)
    assert large.text() == "\n  ab\n"
