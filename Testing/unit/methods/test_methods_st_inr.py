"""The neural representation: that it can say anything, what it gains, when it may be asked, and what it refuses."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from kspace_cases import OBLIQUE, cartesian_case, coil_maps, difference, grid_samples, movie, radial_case, times

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import Cancelled, InputError
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

#: of either representation, small and quick
QUICK = {
    "motion": {"representation": "motion", "iterations": 3, "warm_start": "smooth"},
    "hash-grid": {"representation": "hash-grid", "epochs": 5, "table_size": 2**10, "hidden_width": 16},
}
PENALTIES = ("regularization", "spatial_regularization", "change_regularization", "motion_regularization")


@pytest.fixture(scope="module")
def heart():
    values = {"matrix": 40, "frames": 8, "coils": 3, "shots": 5, "include_coil_maps": True}
    return simulate(phantoms.get("heart"), SimulationParameters(**values))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A scan of few spokes, its truth, and the file of a whole fit to it."""
    path = tmp_path_factory.mktemp("fit") / "fit.safetensors"
    values = {"matrix": 40, "frames": 12, "coils": 4, "shots": 2, "include_coil_maps": True}
    kspace, truth = simulate(phantoms.get("heart"), SimulationParameters(**values))
    dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path))
    return kspace, truth, str(path)


def psnr(series, truth):
    return dmr.evaluate(series, truth)["psnr_db"]["mean"]


@pytest.mark.parametrize(
    "settings",
    [
        {"iterations": 10, **dict.fromkeys(PENALTIES, 0.0)},
        {
            "representation": "hash-grid",
            "epochs": 450,
            "temporal_variation": 0.0,
            "low_rank_regularization": 0.0,
            "epsilon": 0.1,
            "table_size": 2**10,
            "growth": 1.2,
            "hidden_width": 64,
        },
    ],
    ids=["motion", "hash-grid"],
)
def test_can_become_any_fully_sampled_series(settings):
    truth = movie(2, (1, 12, 10))
    maps = coil_maps(2, (1, 12, 10))
    kspace = KSpace(grid_samples(truth[:, None] * maps), OBLIQUE, times(2), coil_maps=maps)
    found = dmr.reconstruct(kspace, "st-inr", device="cpu", held_out=0.0, **settings).array
    error = np.sqrt(np.mean(np.abs(found - truth) ** 2))
    assert 20 * np.log10(np.abs(truth).max() / error) > 45


def test_beats_grasp_on_few_spokes(fitted):
    kspace, truth, model = fitted
    ours = dmr.reconstruct(kspace, "st-inr", device="cpu", model=model)
    grasp = dmr.reconstruct(kspace, "grasp", device="cpu")
    found, baseline = dmr.evaluate(ours, truth), dmr.evaluate(grasp, truth)
    # at this size motion is of a voxel or two; docs/benchmarks-st-inr.md has real sizes
    assert found["psnr_db"]["mean"] > baseline["psnr_db"]["mean"] + 0.4
    assert found["moving"]["psnr_db"]["mean"] > baseline["moving"]["psnr_db"]["mean"] + 1


def test_cartesian_and_spiral_samples_are_explained():
    for trajectory in ({"trajectory": "cartesian", "acceleration": 4.0}, {"trajectory": "spiral", "shots": 6}):
        values = {"matrix": 32, "frames": 4, "coils": 3, "include_coil_maps": True, **trajectory}
        kspace, truth = simulate(phantoms.get("heart"), SimulationParameters(**values))
        assert psnr(dmr.reconstruct(kspace, "st-inr", device="cpu", iterations=5), truth) > 22


class TestTimes:
    def test_upsampling_divides_the_time_between_frames_and_marks_what_it_adds(self, heart):
        kspace, _ = heart
        series = dmr.reconstruct(kspace, "st-inr", device="cpu", temporal_upsampling=4, **QUICK["motion"])
        assert series.frames == 29
        np.testing.assert_allclose(series.times_s[::4], kspace.times_s, atol=1e-9)
        np.testing.assert_allclose(np.diff(series.times_s), np.diff(kspace.times_s).mean() / 4, rtol=1e-6)
        np.testing.assert_array_equal(series.synthetic, np.arange(29) % 4 != 0)

    def test_a_frame_rate_starts_at_the_first_frame_and_ends_before_the_last(self):
        kspace, _ = cartesian_case(frames=4)
        series = dmr.reconstruct(kspace, "st-inr", device="cpu", frames_per_s=50, **QUICK["motion"])
        np.testing.assert_allclose(series.times_s, kspace.times_s[0] + np.arange(series.frames) / 50)
        assert kspace.times_s[-1] - 1 / 50 < series.times_s[-1] <= kspace.times_s[-1] + 1e-9
        assert not series.synthetic[0]
        assert series.synthetic[1:].any()

    def test_measured_frames_do_not_depend_on_those_in_between(self, heart):
        kspace, _ = heart
        for settings in QUICK.values():
            plain = dmr.reconstruct(kspace, "st-inr", device="cpu", **settings).array
            finer = dmr.reconstruct(kspace, "st-inr", device="cpu", temporal_upsampling=3, **settings).array
            assert difference(finer[::3], plain) < 1e-5

    def test_frames_in_between_beat_linear_interpolation_of_the_measured_ones(self, fitted):
        kspace, _, model = fitted
        finer = dmr.reconstruct(kspace, "st-inr", device="cpu", model=model, temporal_upsampling=2)
        measured, between = np.abs(finer.array[::2]), np.abs(finer.array[1::2])
        linear = (measured[1:] + measured[:-1]) / 2
        frame_s = float(np.diff(kspace.times_s).mean())
        scene = phantoms.get("heart")
        scene.start_s = kspace.times_s[0]  # half a frame later
        values = {"matrix": 40, "frames": 11, "coils": 1, "shots": 2, "tr_s": frame_s / 2}
        truth = simulate(scene, SimulationParameters(**values))[1]
        np.testing.assert_allclose(truth.times_s, finer.times_s[1::2])
        target = np.abs(truth.array)

        def error(images):
            factor = (images * target).sum() / (images * images).sum()
            moving = target.std(axis=0) > 0.25 * target.std(axis=0).max()
            return float(np.mean((factor * images - target)[:, moving] ** 2))

        assert error(between) < error(linear)

    def test_both_ways_of_asking_are_refused(self, heart):
        with pytest.raises(InputError, match="not both"):
            dmr.reconstruct(heart[0], "st-inr", temporal_upsampling=2, frames_per_s=10)

    def test_absurd_numbers_of_frames_are_refused(self, heart):
        with pytest.raises(InputError, match="at most"):
            dmr.reconstruct(heart[0], "st-inr", frames_per_s=1e9)


class TestModelFile:
    @pytest.mark.parametrize("kind", QUICK)
    def test_asked_again_it_says_the_same_and_more(self, kind, tmp_path):
        kspace, _ = radial_case(shape=(2, 20, 24), frames=4)
        path = tmp_path / "fit.safetensors"
        first = dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK[kind])
        again = dmr.reconstruct(kspace, "st-inr", device="cpu", model=str(path))
        np.testing.assert_array_equal(again.array, first.array)
        finer = dmr.reconstruct(kspace, "st-inr", device="cpu", model=str(path), temporal_upsampling=2)
        assert difference(finer.array[::2], first.array) < 1e-6
        assert list(tmp_path.iterdir()) == [path]

    def test_of_another_scan_or_no_model_or_missing_is_refused(self, tmp_path):
        kspace, _ = radial_case(frames=4)
        path = tmp_path / "fit.safetensors"
        dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK["motion"])
        other, _ = radial_case(frames=5)
        for wrong, data, words in (
            (path, other, "another scan: its number of frames"),
            (tmp_path / "missing.safetensors", kspace, "does not exist"),
            (_written(tmp_path / "text.safetensors", b"not a model"), kspace, "damaged"),
            (_written(tmp_path / "cut.safetensors", path.read_bytes()[:-100]), kspace, "damaged"),
            (_pickled(tmp_path / "pickle.safetensors"), kspace, "damaged"),
        ):
            with pytest.raises(InputError, match=words):
                dmr.reconstruct(data, "st-inr", device="cpu", model=str(wrong))

    def test_foreign_weights_are_refused(self, tmp_path):
        from safetensors.torch import save_file

        path = tmp_path / "other.safetensors"
        save_file({"weight": torch.zeros(3)}, path)
        with pytest.raises(InputError, match="no fitted st-inr model"):
            dmr.reconstruct(radial_case()[0], "st-inr", model=str(path))

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ("{", "is damaged"),
            ('{"representation": "motion"}', "does not fit together"),
            (
                '{"representation": "hash-grid", "shape": [3, 32, 36], "table_size": 1000000000000, "growth": 9.0}',
                "does not fit together",
            ),
        ],
    )
    def test_settings_that_were_tampered_with_are_refused_without_taking_memory(self, settings, words, tmp_path):
        from safetensors import safe_open
        from safetensors.torch import load_file, save_file

        kspace, _ = radial_case()
        path = tmp_path / "fit.safetensors"
        dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK["motion"])
        with safe_open(path, framework="pt") as file:
            notes = {**file.metadata(), "settings": settings}
        save_file(load_file(path), path, metadata=notes)
        with pytest.raises(InputError, match=words):
            dmr.reconstruct(kspace, "st-inr", device="cpu", model=str(path))

    def test_where_it_may_not_be_written_is_refused_before_the_fit_and_nothing_is_lost(self, tmp_path):
        other = _written(tmp_path / "mine.safetensors", b"something of the user's")
        for path, words in (
            (tmp_path / "no" / "fit.safetensors", "does not exist"),
            (tmp_path / "fit.txt", "must end in"),
            (other, "is no fitted st-inr model"),
        ):
            with pytest.raises(InputError, match=words):
                dmr.reconstruct(radial_case()[0], "st-inr", save_model=str(path))
        assert other.read_bytes() == b"something of the user's"

    def test_an_earlier_fit_may_be_replaced(self, tmp_path):
        kspace, _ = radial_case()
        path = tmp_path / "fit.safetensors"
        for _ in range(2):
            dmr.reconstruct(kspace, "st-inr", device="cpu", save_model=str(path), **QUICK["motion"])
        assert path.exists()


def _written(path, content):
    path.write_bytes(content)
    return path


def _pickled(path):
    torch.save({"weight": torch.zeros(3)}, path)
    return path


@pytest.mark.parametrize("kind", QUICK)
class TestOnTheWay:
    def test_the_same_seed_gives_the_same_and_another_one_does_not(self, kind, heart):
        one, again, other = (
            dmr.reconstruct(heart[0], "st-inr", device="cpu", seed=seed, **QUICK[kind]).array for seed in (3, 3, 4)
        )
        np.testing.assert_array_equal(one, again)
        assert difference(one, other) > 1e-6

    def test_cancel_is_seen_in_the_next_step(self, kind, heart):
        calls = []

        def stop():
            calls.append(1)
            return len(calls) > 8

        with pytest.raises(Cancelled):
            dmr.reconstruct(heart[0], "st-inr", context=Context(cancelled=stop), **QUICK[kind])
        assert len(calls) == 9

    def test_progress_rises_and_pictures_are_shown(self, kind):
        kspace, _ = radial_case(shape=(2, 20, 24), frames=4)
        fractions, shown = [], []
        context = Context(progress=lambda fraction, _: fractions.append(fraction), preview=shown.append)
        series = dmr.reconstruct(kspace, "st-inr", context=context, **QUICK[kind])
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert shown
        assert all(picture.shape == (4, 1, 20, 24) for picture in shown)
        assert series.array.shape == (4, 2, 20, 24)
        np.testing.assert_array_equal(series.affine, OBLIQUE)
        assert series.metadata["figures"]["misfit"] > 0

    def test_units_of_the_data_are_kept_and_do_not_matter(self, kind, heart):
        kspace = heart[0]
        plain = dmr.reconstruct(kspace, "st-inr", device="cpu", **QUICK[kind]).array
        larger = KSpace(
            kspace.samples * np.float32(1024.0),
            kspace.affine,
            kspace.times_s,
            image_shape=kspace.image_shape,
            trajectory=kspace.trajectory,
            coil_maps=kspace.coil_maps,
        )
        assert difference(dmr.reconstruct(larger, "st-inr", device="cpu", **QUICK[kind]).array / 1024, plain) < 1e-3

    def test_one_coil_and_estimated_maps(self, kind):
        for coils in (1, 3):
            truth, maps = movie(3, (1, 16, 18)), coil_maps(coils, (1, 16, 18))
            kspace = KSpace(grid_samples(truth[:, None] * maps), OBLIQUE, times(3))
            assert dmr.reconstruct(kspace, "st-inr", device="cpu", **QUICK[kind]).array.shape == truth.shape


@pytest.mark.parametrize(
    ("kind", "network", "name"), [("hash-grid", SpatioTemporalField, "forward"), ("motion", MotionField, "parts")]
)
def test_a_network_that_does_not_fit_into_memory_goes_on_with_fewer_frames(kind, network, name, heart, monkeypatch):
    kspace, _ = heart
    whole = dmr.reconstruct(kspace, "st-inr", device="cpu", **QUICK[kind]).array
    evaluate, warnings = getattr(network, name), []

    def narrow(self, numbers):
        if torch.is_grad_enabled() and len(numbers) > 3:
            raise MemoryError
        return evaluate(self, numbers)

    monkeypatch.setattr(network, name, narrow)
    context = Context(warn=warnings.append)
    parts = dmr.reconstruct(kspace, "st-inr", context=context, **QUICK[kind]).array
    # the steps of Adam divide by small gradients, and so make much of their last digits: those are compared below
    assert difference(parts, whole) < 0.1
    assert [warning.split(" with ")[1] for warning in warnings] == ["4 frames at once.", "2 frames at once."]


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


class TestRefusals:
    def test_one_frame(self):
        kspace, _ = cartesian_case(frames=1)
        with pytest.raises(InputError, match="at least 2 frames"):
            dmr.reconstruct(kspace, "st-inr")

    def test_a_volume(self):
        trajectory = np.random.default_rng(0).uniform(-4, 4, (2, 5, 9, 3)).astype(np.float32)
        samples = np.ones((2, 1, 5, 9), np.complex64)
        kspace = KSpace(samples, OBLIQUE, times(2), trajectory=trajectory, image_shape=(8, 8, 8))
        with pytest.raises(InputError, match="covers a volume"):
            dmr.reconstruct(kspace, "st-inr")

    def test_a_series(self):
        with pytest.raises(InputError, match="needs k-space"):
            dmr.reconstruct(ImageSeries(np.zeros((2, 1, 4, 4)), np.eye(4), [0, 1]), "st-inr")


def test_estimates_grow_with_the_work():
    kspace, _ = radial_case(frames=4)
    method = registry.get("st-inr")
    few, many, asked = (
        method.estimate(kspace, method.parameters(**values), "cpu")
        for values in ({"iterations": 5}, {"iterations": 500}, {"iterations": 5, "model": "x"})
    )
    assert many.seconds > few.seconds > asked.seconds
    faithful = method.estimate(kspace, method.parameters("faithful"), "cpu")
    assert faithful.memory_bytes > 6e9
