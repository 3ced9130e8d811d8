"""Networks that make pictures learn what discs look like."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from visionkit.errors import DataError  # noqa: E402
from visionkit.nets.generative import draw  # noqa: E402
from visionkit.train.generative import KINDS, Dream, imagine, read_squares, rebuild  # noqa: E402


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """Twenty pictures of a bright disc somewhere on dark blue, wider than high."""
    folder = tmp_path / "discs"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for i in range(20):
        picture = np.full((24, 32, 3), (60, 0, 0), np.uint8)
        cv2.circle(
            picture, (int(noise.integers(12, 20)), int(noise.integers(8, 16))), 6, (60, 200, 250), -1, cv2.LINE_AA
        )
        cv2.imwrite(str(folder / f"{i}.png"), picture)
    (folder / "broken.jpg").write_bytes(b"no")
    return folder


def test_the_middle_of_every_picture_is_read(discs: Path) -> None:
    squares = read_squares(discs, 16)
    assert squares.shape == (20, 3, 16, 16)
    assert squares[:, 2, 0, 0].tolist() == [60] * 20  # blue comes last; the corner is ground
    with pytest.raises(DataError, match="0 pictures can be read"):
        read_squares(discs / "none", 16)


def test_reconstruction_beats_the_mean_picture(discs: Path) -> None:
    pictures = read_squares(discs, 16).float() / 255
    spread = float((pictures - pictures.mean(0)).square().mean())
    for kind in ("autoencoder", "vae"):
        torch.manual_seed(0)
        build, trainer = KINDS[kind]
        net = build(16, 8)
        losses = trainer(net, (pictures * 255).to(torch.uint8), Dream(kind, 16, 8, 60))
        assert losses[-1] < losses[0]
        with torch.inference_mode():
            assert float((rebuild(net.eval(), pictures) - pictures).square().mean()) < spread / 2, kind


def test_a_drawn_disc_has_the_colours_of_discs(discs: Path) -> None:
    pictures = read_squares(discs, 16)
    mean = (pictures.float() / 255).mean((0, 2, 3))
    torch.manual_seed(0)
    build, trainer = KINDS["gan"]
    net = build(16, 8)
    before = draw(net.eval(), 32, torch.Generator().manual_seed(1)).mean((0, 2, 3)).detach()
    trainer(net, pictures, Dream("gan", 16, 8, 60))
    after = draw(net.eval(), 32, torch.Generator().manual_seed(1)).mean((0, 2, 3)).detach()
    assert float((after - mean).abs().max()) < 0.5 * float((before - mean).abs().max())


def test_a_folder_becomes_weights_a_report_and_a_picture(discs: Path, tmp_path: Path) -> None:
    losses = imagine(discs, Dream("vae", 16, 8, steps=3), tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"vae.json", "vae.png", "vae.safetensors"}
    assert json.loads((tmp_path / "out" / "vae.json").read_text())["pictures"] == 20
    assert cv2.imread(str(tmp_path / "out" / "vae.png")).shape == (10 * 16 * 3, 6 * 16 * 3, 3)
    again = imagine(discs, Dream("vae", 16, 8, steps=3), tmp_path / "again")
    assert again == losses
