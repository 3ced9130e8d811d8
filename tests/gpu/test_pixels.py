"""Pictures whose pixels lie on a device: the same levels as OpenCV's, copied once each way."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from visionkit.data import Canvas, Image
from visionkit.data.device import upload
from visionkit.errors import DataError
from visionkit.profile.conversions import watching

torch = pytest.importorskip("torch")
ORDERS = ["bgr", "rgb", "gray", "i420"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [(128, 96), (50, 34), (2, 2)])
def test_levels_are_those_of_opencv(scene, device, order, size) -> None:
    image = scene(*size, order)
    rgb, gray = image.tensor(device).cpu().numpy(), image.tensor(device, "gray").cpu().numpy()
    np.testing.assert_array_equal(rgb.transpose(1, 2, 0), image.rgb())
    np.testing.assert_array_equal(gray[0], image.gray())
    assert image.tensor(device, "native").shape[0] == (1 if order == "gray" else 3)


@pytest.mark.parametrize("order", ORDERS)
def test_a_tensor_is_a_copy_of_its_own_and_kept(scene, device, order) -> None:
    image = scene(64, 48, order)
    before = image.bgr().copy()
    tensor = image.tensor(device)
    assert image.tensor(device) is tensor
    tensor.zero_()
    np.testing.assert_array_equal(image.bgr(), before)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_on_a_device_comes_back_once(scene, device, channels) -> None:
    source = scene(320, 240, "rgb")
    planes = source.tensor(device, "gray" if channels == 1 else "rgb").clone()
    image = Image.of_tensor(planes)
    assert (image.width, image.height, image.nbytes, image.is_gray) == (320, 240, 320 * 240 * channels, channels == 1)
    with watching() as seen:
        first = image.native()
        assert image.native() is first
        image.gray(), image.rgb(), image.bgr()
    assert [one.what for one in seen].count("pixels fetched from the device") == 1
    np.testing.assert_array_equal(first, source.gray() if channels == 1 else source.bgr())
    np.testing.assert_array_equal(image.gray(), source.gray())
    assert not first.flags.writeable
    assert not image.rgb().flags.writeable


def test_a_frame_goes_up_once_as_it_came(scene, device) -> None:
    image = scene(320, 240, "i420")
    assert image.device == ""
    with watching() as seen:
        image.put(device)
        planes, order = image.raw(device)
        image.tensor(device), image.tensor(device, "gray")
    assert image.device.startswith(device)
    assert (order, tuple(planes.shape)) == ("i420", (360, 320))
    assert [(one.what, one.nbytes) for one in seen] == [("pixels sent to the device", 320 * 360)]


def test_crops_stay_on_the_device(scene, device) -> None:
    image = scene(100, 80, "i420")
    image.put(device)
    crop = image.crop(11, 7, 30, 20)
    assert crop.device == image.device
    assert crop.canvas.size == (30, 20)
    np.testing.assert_array_equal(crop.canvas.to_frame.matrix[:2, 2], [11, 7])
    np.testing.assert_array_equal(crop.bgr(), image.bgr()[7:27, 11:41])
    np.testing.assert_array_equal(crop.crop(3, 4, 5, 6).gray(), crop.gray()[4:10, 3:8])
    np.testing.assert_array_equal(crop.tensor("cpu").numpy().transpose(1, 2, 0), crop.rgb())


def test_what_is_no_picture_is_refused(device) -> None:
    for planes in (torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(3, 4, 4), torch.zeros(4, 4, dtype=torch.uint8)):
        with pytest.raises(DataError, match="expected planes"):
            Image.of_tensor(planes.to(device))
    with pytest.raises(DataError, match="canvas"):
        Image.of_tensor(torch.zeros(3, 4, 4, dtype=torch.uint8, device=device), Canvas.source(5, 4))


def test_threads_send_and_read_without_waiting_for_each_other(scene, device) -> None:
    """Each thread reads what the other has sent; with streams of their own a missing event would show as noise."""
    images = [scene(640, 360, "i420", seed) for seed in range(16)]
    wanted = [int(image.rgb().astype(np.int64).sum()) for image in images]
    senders = [threading.Thread(target=lambda part=part: [i.put(device) for i in part]) for part in (images, images)]
    for thread in senders:
        thread.start()
    found = []
    for image in images:
        if device == "cuda":
            with torch.cuda.stream(torch.cuda.Stream()):
                found.append(int(image.tensor(device).long().sum()))
        else:
            found.append(int(image.tensor(device).long().sum()))
    for thread in senders:
        thread.join()
    assert found == wanted


def test_page_locked_blocks_are_not_overwritten_while_they_are_read(gpu) -> None:
    arrays = [np.full((1080, 1920, 3), value, np.uint8) for value in range(64)]
    placed = [upload(array, gpu) for array in arrays]
    assert [int(one.take().float().mean()) for one in placed] == list(range(64))
