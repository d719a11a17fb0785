"""A run that diverges or runs out of memory stops in time, and says where and what to do."""

import numpy as np
import pytest
import torch
from filelock import FileLock
from small_data import street_settings, write_image, write_street

from course_lib import models, runtime, training
from course_lib.losses import LOSSES
from course_lib.training import processes
from course_lib.training.files import load_state


@pytest.fixture
def street(data_root):
    write_street(data_root / "CamVid")


def make_run(chosen):
    runtime.seed_everything(0)
    return training.Trainer(models.build("erfnet"), chosen, torch.ones(19), 4)


class Poison:
    """A loss term that is fine until it is not."""

    def __init__(self, term, calls, factor):
        self.term, self.calls, self.factor = term, calls, factor

    def __call__(self, logits, target, weights):
        self.calls -= 1
        return self.term(logits, target, weights) * (self.factor if self.calls < 0 else 1)


@pytest.mark.parametrize(
    ("factor", "shown"), [(float("nan"), "nan"), (1e6, "1?[0-9.]+e[+]0"), (float("inf"), "inf")]
)
def test_a_loss_that_diverges_stops_and_keeps_the_last_good_checkpoint(
    street, tmp_path, monkeypatch, factor, shown
):
    monkeypatch.setitem(LOSSES, "ce", Poison(LOSSES["ce"], 4, factor))
    message = f"loss term ce is {shown}.* in epoch 2, batch 2 of 3; .* last good checkpoint is .*last.pt"
    with pytest.raises(training.Diverged, match=message):
        training.train(street_settings(), tmp_path)
    state = load_state(tmp_path / "last.pt")
    assert state["step"] == 3 and all(t.isfinite().all() for t in state["network"].values())
    assert not (tmp_path / "erfnet_ce.safetensors").exists()


def test_a_gradient_that_is_not_finite_stops_before_the_weights_change():
    learner = make_run(street_settings())
    before = {name: p.clone() for name, p in learner.network.named_parameters()}
    learner.network.classifier.weight.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(training.Diverged, match="gradient of ce is nan"):
        learner.step(torch.rand(2, 3, 16, 24), torch.zeros(2, 16, 24, dtype=torch.long))
    assert all(torch.equal(p, before[name]) for name, p in learner.network.named_parameters())


def full(*arguments):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.parametrize(
    ("accumulate", "advice"),
    [
        (1, r"in 1 part\(s\) does not fit into the memory of cpu: add --accumulate 2 or choose a smaller"),
        (6, r"in 6 part\(s\) .*: add --accumulate 8 or choose a smaller --size"),
        (8, r"in 8 part\(s\) does not fit into the memory of cpu: choose a smaller --size"),
    ],
)
@pytest.mark.parametrize("where", ["network", "optimiser"])
def test_out_of_memory_says_what_may_fit(monkeypatch, where, accumulate, advice):
    learner = make_run(street_settings(batch=8, accumulate=accumulate))
    owner, name = (learner.network, "all_logits") if where == "network" else (learner.scaler, "step")
    monkeypatch.setattr(owner, name, full)
    with pytest.raises(MemoryError, match=f"a batch of 8 images of 16 x 24 {advice}"):
        learner.step(torch.rand(8, 3, 16, 24), torch.zeros(8, 16, 24, dtype=torch.long))


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch):
    learner = make_run(street_settings())
    for message, error in (("can't allocate memory: 9 bytes", MemoryError), ("shape '[2]'", RuntimeError)):

        def fail(images, message=message):
            raise RuntimeError(message)

        monkeypatch.setattr(learner.network, "all_logits", fail)
        with pytest.raises(error):
            learner.step(torch.rand(2, 3, 16, 24), torch.zeros(2, 16, 24, dtype=torch.long))


def test_training_images_without_a_label_are_refused(data_root, tmp_path):
    write_street(data_root / "CamVid")
    for path in (data_root / "CamVid" / "trainannot").iterdir():
        write_image(path, np.full((32, 48), 11, dtype=np.uint8))
    with pytest.raises(ValueError, match="training needs two classes, found 0"):
        training.train(street_settings(), tmp_path)


def test_two_processes_do_not_train_in_one_folder(street, tmp_path):
    with FileLock(tmp_path / ".lock"), pytest.raises(ValueError, match="another process trains in"):
        training.train(street_settings(), tmp_path)


def test_fp16_that_overflows_at_every_step_is_not_silent():
    learner = make_run(street_settings(precision="fp16"))
    learner.scaler = torch.amp.GradScaler("cpu", init_scale=1e-4)  # as after dozens of overflows
    with pytest.raises(training.Diverged, match="overflows fp16 at every step"):
        learner.step(torch.rand(2, 3, 16, 24), torch.zeros(2, 16, 24, dtype=torch.long))


def test_an_echo_of_a_signal_is_ignored_and_a_later_one_stops_at_once(monkeypatch):
    request = processes.Request()
    request.receive(15, None)
    request.receive(2, None)
    assert request.number == 15
    monkeypatch.setattr(processes, "ECHO", 0)
    with pytest.raises(KeyboardInterrupt):
        request.receive(2, None)
