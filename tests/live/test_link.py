"""How connections are watched and made anew: devices that hang, fail and refuse, without a camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest

from visionkit.data import Image
from visionkit.errors import SourceError
from visionkit.media.sources.capture import Picture, Refused, now
from visionkit.media.sources.reconnect import HANGING, Link, Loss, Patience
from visionkit.runtime.feeders import Slot
from visionkit.runtime.lanes import Latencies
from visionkit.stage import Frame, Gap, SourceInfo

QUICK = Patience(connect=0.5, stall=0.3, first=0.02, most=0.1)
BLACK = Image(np.zeros((2, 2, 3), np.uint8))
INFO = SourceInfo("camera", "live")


def picture() -> Picture:
    return Picture(lambda: BLACK, 2, 2, now())


def test_the_wait_doubles_from_one_second_to_thirty_and_differs() -> None:
    delays = [Patience().delay(attempt, Random(seed)) for seed in range(200) for attempt in range(1, 12)]
    for attempt in range(1, 12):
        mine = delays[attempt - 1 :: 11]
        middle = min(30, 2 ** (attempt - 1))
        assert 0.75 * middle <= min(mine) < max(mine) <= min(30, 1.25 * middle)
        assert len(set(mine)) > 50


def test_a_device_that_hangs_is_left_behind_and_opened_anew() -> None:
    let_go, opened, closed = threading.Event(), [], []

    def pictures() -> Iterator[Picture]:
        opened.append(time.monotonic())
        try:
            yield picture()
            let_go.wait(20)
            yield picture()
        finally:
            closed.append(time.monotonic())

    items = Link("camera", pictures, QUICK).pictures_and_losses()
    found = list(islice(items, 2 * HANGING))
    assert [type(item) for item in found] == [Picture, Loss] * HANGING
    assert "no frame came" in found[1].reason  # type: ignore[union-attr]
    assert len(opened) == HANGING
    waiting = threading.Timer(0.5, let_go.set)  # no more connections than so many hang at a time
    waiting.start()
    next(items)
    assert opened[HANGING] >= closed[0]
    items.close()  # type: ignore[attr-defined]
    waiting.join()
    deadline = time.monotonic() + 5
    while len(closed) < len(opened) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(closed) == len(opened)


def test_interrupt_ends_it_whatever_the_device_does() -> None:
    let_go = threading.Event()

    def pictures() -> Iterator[Picture]:
        let_go.wait(20)
        yield picture()

    link = Link("camera", pictures, Patience())
    threading.Timer(0.3, link.interrupt).start()
    started = time.monotonic()
    assert list(link.pictures_and_losses()) == []
    assert time.monotonic() - started < 2
    assert link.state.state == "ended"
    let_go.set()


def refusing(after: int, opened: list[int]) -> Callable[[], Iterator[Picture]]:
    """A device that is well for so many connections, then refuses."""

    def pictures() -> Iterator[Picture]:
        opened.append(1)
        if len(opened) > after:
            raise Refused("the password is wrong")
        yield picture()
        raise SourceError("the stream has ended")

    return pictures


@pytest.mark.parametrize(("well", "attempts"), [(0, 1), (1, 4)])
def test_who_refuses_is_not_asked_without_end(well: int, attempts: int) -> None:
    opened: list[int] = []
    with pytest.raises(Refused, match="password is wrong"):
        list(Link("camera", refusing(well, opened), QUICK).pictures_and_losses())
    assert len(opened) == attempts


def test_a_knock_on_the_door_ends_the_wait() -> None:
    from visionkit.media.sources.reconnect import Unreachable

    opened: list[float] = []

    def pictures() -> Iterator[Picture]:
        opened.append(time.monotonic())
        if len(opened) == 1:
            raise Unreachable("nobody listens there")
        yield picture()

    knocks = iter([False, False, True])
    patience = Patience(first=20, most=30, knock=0.05)
    (found,) = Link("camera", pictures, patience, knock=lambda: next(knocks)).pictures_and_losses()
    assert isinstance(found, Picture)
    assert 0.1 < opened[1] - opened[0] < 5


def test_whatever_a_driver_raises_is_a_loss_without_passwords() -> None:
    def pictures() -> Iterator[Picture]:
        raise RuntimeError("cannot open rtsp://user:hunter2@host/x")
        yield picture()

    with pytest.raises(SourceError) as caught:
        list(Link("camera", pictures, QUICK, retry=False).pictures_and_losses())
    assert "hunter2" not in f"{caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r}"
    assert "rtsp://***@host/x" in caught.value.message


def frame(index: int) -> Frame:
    return Frame(INFO, index, lambda: BLACK, 12)


def gap(index: int) -> Gap:
    return Gap(INFO, index, None, 1.0, 1, "lost")  # type: ignore[arg-type]


def test_a_slot_keeps_the_newest_frame_and_every_gap() -> None:
    slot = Slot()
    assert [slot.put(item) for item in (frame(0), frame(1), gap(2), frame(2), gap(3), frame(3))] == [0, 1, 0, 1, 0, 1]
    taken = [slot.take(lambda: False) for _ in range(3)]
    assert [type(item) for item in taken] == [Gap, Gap, Frame]
    assert taken[2].index == 3  # type: ignore[union-attr]
    slot.put(frame(4))
    assert slot.close() == 1
    assert slot.put(frame(5)) is None


def test_no_frame_is_lost_from_the_count() -> None:
    """A slot between a hasty writer and a slow reader that leaves in the middle of it."""
    for delay in (0.0, 0.0005):
        slot, taken, replaced, accepted = Slot(), 0, 0, 0

        def write(slot: Slot = slot) -> None:
            nonlocal replaced, accepted
            while (gone := slot.put(frame(accepted))) is not None:
                replaced, accepted = replaced + gone, accepted + 1

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(200):
            taken += slot.take(lambda: False) is not None
            time.sleep(delay)
        left = slot.close()
        writer.join()
        assert accepted == taken + replaced + left


def test_latencies_are_right_within_two_per_cent() -> None:
    values = np.random.default_rng(0).lognormal(-3, 1, 5000)
    latencies = Latencies()
    for value in values:
        latencies.add(float(value))
    for share in (0.5, 0.95, 1.0):
        assert latencies.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.02)
    assert Latencies().quantile(0.5) is None


def test_states_are_told() -> None:
    seen: list[Any] = []

    def pictures() -> Iterator[Picture]:
        seen.append(link.state.state)
        yield picture()
        raise SourceError("the stream has ended")

    link = Link("camera", pictures, QUICK)
    for item in islice(link.pictures_and_losses(), 3):
        state = link.state
        seen += [(type(item).__name__, state.state, state.reason, state.gaps)]
    assert seen == [
        "connecting",
        ("Picture", "up", "", 0),
        ("Loss", "waiting", "the stream has ended", 1),
        "connecting",
        ("Picture", "up", "", 1),
    ]
