"""How the neural representation is fitted: compiled layers, blocks of frames, the published loss, ensembles."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from kspace_cases import OBLIQUE, coil_maps, difference, grid_samples, movie, times
from st_inr_cases import QUICK

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation import metrics
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common import field_epochs
from DynamicMRIReconLib.methods.common.ensemble import mean_and_deviation
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.motion_fit import Descent, FieldWeights
from DynamicMRIReconLib.methods.common.preparation import with_density
from DynamicMRIReconLib.methods.common.problem import prepare
from DynamicMRIReconLib.networks.motion_field import MotionField
from DynamicMRIReconLib.networks.st_inr import SpatioTemporalField


class TestCompiled:
    """The layers of the hash grid's network, compiled."""

    @staticmethod
    def fit(heart, **settings):
        warnings = []
        context = Context(warn=warnings.append)
        series = dmr.reconstruct(heart[0], "st-inr", context=context, **QUICK["hash-grid"], **settings)
        return series.array, warnings

    # the second is torch's own way through the compiler without machine code: quick
    @pytest.mark.parametrize("backend", [pytest.param("inductor", marks=pytest.mark.slow), "aot_eager"])
    def test_gives_the_same_numbers(self, backend, heart, monkeypatch):
        calls, original = [], torch.compile

        def compile_for_test(layers, **settings):
            calls.append(layers)
            return original(layers, backend=backend, **settings)

        monkeypatch.setattr(torch, "compile", compile_for_test)
        found, warnings = self.fit(heart, compiled=True)
        assert len(calls) == 1
        assert not warnings
        assert difference(found, self.fit(heart)[0]) < 1e-4

    def test_where_a_library_has_changed_the_locale(self):
        # in a process of its own: the compiler reads its files once only
        code = """if True:
            import locale, torch
            from DynamicMRIReconLib.methods.common.compiled import compiled
            locale.setlocale(locale.LC_CTYPE, "C")
            original = torch.compile
            torch.compile = lambda layers, **settings: original(layers, backend="aot_eager", **settings)
            layers = torch.nn.Linear(3, 2)
            assert compiled(layers, torch.zeros(4, 3), print) is not layers
            assert locale.setlocale(locale.LC_CTYPE) == "C"
        """
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
        assert (found.returncode, found.stdout) == (0, ""), found.stderr

    def test_without_a_compiler_it_goes_on_as_it_is(self, heart, monkeypatch):
        def no_compiler(graph, inputs):
            raise RuntimeError("No C++ compiler was found\nand much more")

        original = torch.compile
        monkeypatch.setattr(torch, "compile", lambda layers, **_: original(layers, backend=no_compiler))
        found, warnings = self.fit(heart, compiled=True)
        assert len(warnings) == 1
        assert warnings[0].startswith("The network could not be compiled here (")
        assert "No C++ compiler was found" in warnings[0]
        assert "\n" not in warnings[0]
        np.testing.assert_array_equal(found, self.fit(heart)[0])


@pytest.mark.parametrize("cyclic", [True, False])
@pytest.mark.parametrize("frames_at_once", [1, 3, 7])
def test_blocks_of_frames_have_the_gradient_of_all(frames_at_once, cyclic):
    field = MotionField((7, 12, 10)).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for values in field.parameters():
            values.copy_(torch.randn(values.shape, generator=generator, dtype=torch.float64))
    weights = FieldWeights(0.3, 0.2, 0.1, 0.4, 0.5, 0.6, cyclic)
    numbers = torch.arange(7, dtype=torch.float64)
    target = torch.randn((7, 12, 10), generator=generator, dtype=torch.complex128)

    def gradients(frames):
        descent = Descent(field, numbers, weights, Context())
        descent.frames_at_once = frames
        descent.gradient(target)
        return [values.grad.clone() for values in field.parameters()]

    for part, whole in zip(gradients(frames_at_once), gradients(7), strict=True):
        torch.testing.assert_close(part, whole, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("frames_at_once", [1, 3])
def test_blocks_of_frames_of_the_hash_grid_have_the_gradient_of_all(frames_at_once, heart):
    context = Context()
    problem = prepare(with_density(heart[0]), registry.get("st-inr").parameters(), context, Preview(context))
    torch.manual_seed(0)
    field = SpatioTemporalField((8, 40, 40), hidden_width=16, table_size=2**10, growth=1.38)
    numbers = torch.arange(8, dtype=torch.float32)
    weights = field_epochs.PublishedWeights(temporal=0.3, low_rank=0.2, epsilon=1e-2)

    def gradients(frames):
        field.zero_grad()
        field_epochs._gradient(problem, field, numbers, weights, frames)
        return torch.cat([values.grad.flatten() for values in field.parameters()])

    whole = gradients(8)
    assert float((gradients(frames_at_once) - whole).norm()) < 1e-4 * float(whole.norm())


class TestEnsemble:
    def test_tells_where_it_is_wrong(self):
        values = {"matrix": 40, "frames": 8, "coils": 4, "shots": 5, "include_coil_maps": True, "noise": 0.02}
        kspace, truth = simulate(phantoms.get("heart"), SimulationParameters(**values))
        settings = {"iterations": 10, "warm_start": "smooth", "temporal_upsampling": 2}
        series = dmr.reconstruct(kspace, "st-inr", device="cpu", ensemble=4, **settings)
        deviation = series.part("uncertainty").magnitude()
        assert deviation.array.shape == series.array.shape == (15, 1, 40, 40)
        assert not series.part("uncertainty").array.imag.any()
        np.testing.assert_array_equal(deviation.synthetic, np.arange(15) % 2 == 1)
        found, expected = np.abs(series.array[::2]), np.asarray(truth.magnitude().array)
        wrong = np.abs(found * metrics.best_scale(found, expected) - expected)
        said = deviation.array[::2]
        surest, least = (np.quantile(said, q) for q in (0.25, 0.75))
        assert wrong[said > least].mean() > 2 * wrong[said < surest].mean()

    def test_the_jackknife_of_a_mean_is_its_standard_error(self):
        generator, n, left_out = np.random.default_rng(0), 400, 0.2
        values = generator.normal(1000.0, 3.0, (n, 200))
        kept = [values[generator.permutation(n)[int(left_out * n) :]].mean(0).reshape(1, 1, 1, -1) for _ in range(60)]
        mean, deviation = mean_and_deviation(kept, left_out)
        assert mean.mean() == pytest.approx(1000.0, abs=0.1)
        assert deviation.mean() == pytest.approx(3.0 / np.sqrt(n), rel=0.1)

    def test_one_fit_has_no_deviation_and_a_file_holds_one_fit(self, heart, tmp_path):
        assert dmr.reconstruct(heart[0], "st-inr", device="cpu", **QUICK["motion"]).parts == {}
        with pytest.raises(InputError, match="a file holds one fit"):
            dmr.reconstruct(heart[0], "st-inr", ensemble=2, save_model=str(tmp_path / "fit.safetensors"))

    def test_samples_that_cannot_be_spared_are_refused(self):
        truth, maps = movie(3, (1, 8, 8)), coil_maps(2, (1, 8, 8))
        mask = np.zeros((3, 1, 8, 8), bool)
        mask[:, :, 4] = True
        samples = grid_samples(truth[:, None] * maps) * mask[:, None]
        kspace = KSpace(samples, OBLIQUE, times(3), mask=mask, coil_maps=maps)
        with pytest.raises(InputError, match="none to spare"):
            dmr.reconstruct(kspace, "st-inr", device="cpu", ensemble=2, **QUICK["motion"])


def test_published_loss_has_the_gradient_that_autograd_finds(heart):
    context = Context()
    problem = prepare(with_density(heart[0]), registry.get("st-inr").parameters(), context, Preview(context))
    torch.manual_seed(0)
    series = torch.randn(problem.shape, dtype=torch.complex64) * 0.1
    weights = field_epochs.PublishedWeights(temporal=0.3, low_rank=0.2, epsilon=1e-2)
    loss, slope = field_epochs._loss(problem, series, weights)
    leaf = series.clone().requires_grad_()
    foretold = problem.model.forward(leaf)
    wrong, size = (torch.view_as_real(part) for part in (foretold - problem.samples, foretold.detach()))
    change = torch.view_as_real(leaf[1:] - leaf[:-1])
    expected = (
        (wrong.square() / (size.square() + 1e-2)).mean()
        + 0.3 * change.abs().mean() / change.detach().abs().max()
        + 0.2 * torch.linalg.svdvals(leaf.flatten(1)).sum() / len(leaf)
    )
    expected.backward()
    assert loss == pytest.approx(float(expected.detach()), rel=1e-4)
    assert difference(slope.numpy(), leaf.grad.numpy()) < 1e-3
