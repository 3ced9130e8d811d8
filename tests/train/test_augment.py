"""Random views: pixels, boxes and masks must move together, and only the seed decides how."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from visionkit.train.augment import Augmentation, random_view  # noqa: E402  (they need torch)
from visionkit.train.samples import Sample  # noqa: E402

PLAIN = Augmentation((90, 120), zoom=(1, 1), aspect=0, colour=0)
WILD = Augmentation((90, 120), stretch=True, zoom=(0.6, 1.6), aspect=0.3, quarter_turns=True, colour=0, visible=0.01)


def block(x0: int, y0: int, x1: int, y1: int, height: int = 180, width: int = 240) -> Sample:
    """A bright rectangle on black, with its box and its mask."""
    mask = torch.zeros((height, width), dtype=torch.uint8)
    mask[y0:y1, x0:x1] = 1
    box = torch.tensor([[x0, y0, x1, y1]], dtype=torch.float32)
    return Sample("block", (mask * 255).expand(3, -1, -1), box, torch.tensor([3]), mask)


def test_a_plain_view_is_the_picture_at_the_view_s_size() -> None:
    seen = {
        tuple(random_view(block(40, 60, 80, 100), PLAIN, torch.Generator().manual_seed(s))[1][0].tolist())
        for s in range(9)
    }
    assert seen == {(20, 30, 40, 50), (80, 30, 100, 50)}  # half the size; mirrored or not


@pytest.mark.parametrize("seed", range(40))
def test_boxes_and_masks_lie_where_the_pixels_are(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    image, boxes, labels, mask = random_view(block(50, 30, 130, 120), WILD, random)
    assert image.shape == (3, 90, 120)
    y, x = torch.where(image[0] > 0.72)  # half-way between the block and the grey around the picture
    assert labels.tolist() == [3]
    hull = torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1])
    assert (hull - boxes[0]).abs().max() <= 1.01
    assert mask is not None
    assert ((mask > 0) != (image[0] > 0.5)).float().mean() < 0.002


def test_a_box_that_is_hardly_visible_is_not_asked_for() -> None:
    near = Augmentation((90, 120), zoom=(4, 4), aspect=0, visible=0.5)
    kept = []
    for seed in range(60):
        image, boxes, *_ = random_view(block(100, 80, 140, 100), near, torch.Generator().manual_seed(seed))
        visible = float((image[0] > 0.5).sum()) / (40 * 20 * 4)  # zoom 4 of half size doubles both sides
        if abs(visible - 0.5) > 0.05:
            kept.append(len(boxes) == (visible > 0.5))
    assert len(kept) > 40
    assert all(kept)


def test_the_seed_alone_decides() -> None:
    recipe = Augmentation((64, 64), quarter_turns=True, mirror=True, bend=5)
    views = [random_view(block(50, 30, 130, 120), recipe, torch.Generator().manual_seed(s)) for s in (4, 4, 5)]
    assert torch.equal(views[0][0], views[1][0])
    assert not torch.equal(views[0][0], views[2][0])


def test_bending_moves_things_by_a_few_pixels_of_the_picture() -> None:
    moved = []
    for seed in range(12):
        image, *_ = random_view(
            block(110, 80, 130, 100),
            Augmentation((180, 240), zoom=(1, 1), aspect=0, colour=0, bend=4),
            torch.Generator().manual_seed(seed),
        )
        y, x = torch.where(image[0] > 0.5)
        moved.append([float(x.float().mean()) - 119.5, float(y.float().mean()) - 89.5])
    spread = torch.tensor(moved).std()
    assert 2 < spread < 6
    assert abs(torch.tensor(moved).mean()) < 4


def test_colours_stay_in_range_and_change() -> None:
    sample = block(50, 30, 130, 120)
    random = torch.Generator().manual_seed(0)
    image, *_ = random_view(sample, Augmentation((90, 120), colour=0.5), random)
    assert 0 <= image.min() < image.max() <= 1
