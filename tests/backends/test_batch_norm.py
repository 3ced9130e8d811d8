"""torchvision's older detectors were trained with batch norms without an epsilon; its own loaders set that by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from visionkit.backends import Settings, load_model
from visionkit.weights import Catalogue

torch = pytest.importorskip("torch")
detection = pytest.importorskip("torchvision").models.detection


@pytest.mark.parametrize("name", ["fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn"])
def test_the_epsilon_is_that_of_the_published_file(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    published = getattr(detection, name)(weights=None, weights_backbone=None).eval()
    torch.save(published.state_dict(), tmp_path / "weights.pth")
    model = load_model(Catalogue.load().get(name), (tmp_path / "weights.pth",), Settings(backend="own"))
    ours = model.module.backbone.body.bn1
    values = torch.randn(1, 64, 5, 5)
    wanted = (values - ours.running_mean.view(1, -1, 1, 1)) * (ours.running_var.view(1, -1, 1, 1)).rsqrt()
    assert torch.allclose(ours(values), wanted * ours.weight.view(1, -1, 1, 1) + ours.bias.view(1, -1, 1, 1), atol=1e-6)
    model.close()
