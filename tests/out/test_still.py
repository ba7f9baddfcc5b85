from wireside.out.raster import CELL_H, CELL_W, rasterise
from wireside.out.still import SHOTS, take
from wireside.paint.palette import Palette
from wireside.paint.surface import Surface


def test_cells_become_rectangles_without_seams():
    palette = Palette()
    surface = Surface(4, 2, palette.style("text"))
    surface.put(0, 0, "  ", palette.style("ink", "DATA"))
    surface.put(2, 0, "▌", palette.style("DATA"))
    image = rasterise(surface, palette)
    assert image.size == (4 * CELL_W, 2 * CELL_H)
    row = [image.getpixel((x, CELL_H // 2)) for x in range(4 * CELL_W)]
    blue = palette.roles["DATA"]
    assert row == [blue] * (2 * CELL_W + CELL_W // 2) + [palette.roles["bg"]] * (CELL_W // 2 + CELL_W)


def test_each_shipped_picture_can_be_taken(tmp_path):
    shot = next(shot for shot in SHOTS if shot.scenario == "udp-overflow")
    assert [path.name for path in take(shot, tmp_path)] == [
        "udp-overflow-80x24.png",
        "udp-overflow-120x36.png",
    ]
