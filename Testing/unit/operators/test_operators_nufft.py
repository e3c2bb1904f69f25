import subprocess
import sys

import pytest
import torch
from operator_checks import check_operator, complex_normal, exact_dft, relative_error

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.operators import nufft as module
from DynamicMRIReconLib.operators.nufft import BACKENDS, NufftOperator, available_backends, choose_backend
from DynamicMRIReconLib.operators.toeplitz import ToeplitzGram, toeplitz_pays

SHAPES = [(24, 36), (25, 33), (1, 16), (16, 1), (6, 10, 8), (7, 9, 11), (1, 12, 10)]


def trajectory(shape, frames=3, shots=4, readout=30, seed=0):
    """Uniform over all of k-space, the edges included."""
    uniform = torch.rand(frames, shots, readout, len(shape), generator=torch.Generator().manual_seed(seed)) - 0.5
    k = uniform * torch.tensor(shape[::-1])
    k[:, 0, 0] = -torch.tensor(shape[::-1]) / 2
    k[:, 0, 1] = torch.tensor(shape[::-1]) / 2
    k[:, 0, 2] = 0
    return k


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


@pytest.mark.parametrize("shape", SHAPES)
def test_operator(shape, backend):
    operator = NufftOperator(trajectory(shape), shape, backend=backend)
    check_operator(operator, (3, 2, *shape), (3, 2, 4, 30), tolerance=2e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("coils", [1, 3])
def test_is_the_exact_sum(shape, coils, backend):
    k = trajectory(shape)
    operator = NufftOperator(k, shape, backend=backend)
    images, samples = complex_normal((3, coils, *shape)), complex_normal((3, coils, 4, 30), seed=9)
    assert relative_error(operator(images), exact_dft(k, images)) < 3e-4
    # the exact adjoint from the exact forward of every unit image: columns of the matrix
    voxels = operator.scale**-2
    unit = torch.eye(round(voxels), dtype=torch.complex64).reshape(1, -1, *shape).expand(3, -1, *shape)
    matrix = exact_dft(k, unit).flatten(2)
    expected = torch.einsum("frk,fck->fcr", matrix.conj(), samples.to(torch.complex128).flatten(2))
    assert relative_error(operator.adjoint(samples), expected.reshape(3, coils, *shape)) < 3e-4


@pytest.mark.parametrize("shape", [(24, 36), (7, 9, 11)])
def test_back_ends_agree(shape):
    k = trajectory(shape)
    one, other = (NufftOperator(k, shape, backend=name) for name in BACKENDS)
    x, y = complex_normal((3, 2, *shape)), complex_normal((3, 2, 4, 30), seed=1)
    assert relative_error(one(x), other(x)) < 3e-4
    assert relative_error(one.adjoint(y), other.adjoint(y)) < 3e-4
    assert relative_error(one.gram(x), other.gram(x)) < 3e-4


@pytest.mark.parametrize("shape", [(24, 36), (25, 33), (6, 7, 8)])
@pytest.mark.parametrize("weighted", [False, True])
def test_toeplitz_gives_the_numbers_of_adjoint_after_forward(shape, weighted, backend):
    k = trajectory(shape)
    operator = NufftOperator(k, shape, backend=backend)
    weights = torch.rand(3, 4, 30, generator=torch.Generator().manual_seed(5)) if weighted else None
    toeplitz = ToeplitzGram(operator, weights)
    check_operator(toeplitz, (3, 3, *shape), (3, 3, *shape))  # as many coils as frames: nothing may broadcast wrongly
    x = complex_normal((3, 3, *shape))
    samples = exact_dft(k, x) * (1 if weights is None else weights[:, None])
    expected = operator.adjoint(samples.to(torch.complex64))
    assert relative_error(toeplitz(x), expected) < 5e-4
    assert relative_error(operator.weighted_gram(weights)(x), expected) < 5e-4


def test_heavily_oversampled_centre_of_a_volume_stays_accurate():
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(torch.randn(1, 600, 1, 3, generator=generator), dim=-1)
    k = directions * ((torch.arange(40) - 20) / 40 * 20)[None, None, :, None]
    x = complex_normal((1, 1, 20, 20, 20))
    pair, convolution = (NufftOperator(k, (20, 20, 20), backend=name) for name in BACKENDS)
    assert relative_error(pair.adjoint(pair(x)), convolution.gram(x)) < 2e-4


def test_gram_is_the_convolution_where_it_pays(backend):
    shape = (16, 16)
    few, many = trajectory(shape, readout=3), trajectory(shape, readout=200)
    assert toeplitz_pays(NufftOperator(many, shape, backend=backend))
    assert toeplitz_pays(NufftOperator(few, shape, backend=backend)) is (backend == "torchkbnufft")
    assert isinstance(NufftOperator(many, shape, backend=backend).weighted_gram(), ToeplitzGram)


def test_gradient_with_respect_to_the_trajectory():
    k = trajectory((12, 14)).requires_grad_(True)
    images = complex_normal((3, 2, 12, 14))
    loss = NufftOperator(k, (12, 14), backend="finufft")(images).abs().square().sum()
    (gradient,) = torch.autograd.grad(loss, k)
    direction = torch.randn(k.shape, generator=torch.Generator().manual_seed(3))
    step = 1e-4

    def exact(moved):
        return float(exact_dft(moved, images).abs().square().sum())

    wide = k.detach().double()
    numerical = (exact(wide + step * direction) - exact(wide - step * direction)) / (2 * step)
    size = float((gradient.abs() * direction.abs()).sum())
    assert abs(float((gradient * direction).sum()) - numerical) < 1e-3 * size


def test_shapes_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="NufftOperator takes a trajectory"):
        NufftOperator(torch.zeros(1, 2, 3, 2), (4, 4, 4))
    with pytest.raises(ValueError, match=r"NufftOperator.forward takes .*\(3, any, 24, 36\)"):
        NufftOperator(trajectory((24, 36)), (24, 36))(complex_normal((3, 2, 36, 24)))


class TestChoice:
    def test_finufft_comes_first_on_the_cpu(self, monkeypatch):
        monkeypatch.delenv(module.ENVIRONMENT_VARIABLE, raising=False)
        assert available_backends("cpu") == BACKENDS
        assert choose_backend() == "finufft"

    def test_environment_decides_for_auto_and_the_argument_over_it(self, monkeypatch):
        monkeypatch.setenv(module.ENVIRONMENT_VARIABLE, "torchkbnufft")
        assert choose_backend() == "torchkbnufft"
        assert choose_backend("finufft") == "finufft"
        monkeypatch.setenv(module.ENVIRONMENT_VARIABLE, "nfft")
        with pytest.raises(InputError, match=r"nfft.*DYNAMIC_MRI_RECON_NUFFT"):
            choose_backend()

    def test_unknown_name(self):
        with pytest.raises(InputError, match="There is no NUFFT back end 'gpunufft'"):
            choose_backend("gpunufft")

    def test_falls_back_to_torchkbnufft_without_finufft(self, monkeypatch):
        monkeypatch.delenv(module.ENVIRONMENT_VARIABLE, raising=False)
        monkeypatch.setattr(module, "_installed", lambda name: name == "torchkbnufft")
        assert choose_backend() == "torchkbnufft"
        with pytest.raises(InputError, match="finufft was asked for but cannot run on device cpu here: use torchkb"):
            choose_backend("finufft")
        monkeypatch.setattr(module, "_installed", lambda name: False)
        with pytest.raises(InputError, match="install"):
            choose_backend()

    def test_cuda_needs_cufinufft_and_mps_has_no_finufft(self, monkeypatch):
        monkeypatch.setattr(module, "_installed", lambda name: name != "cufinufft")
        assert available_backends("cuda") == ("torchkbnufft",)
        assert available_backends("mps") == ("torchkbnufft",)
        monkeypatch.setattr(module, "_installed", lambda name: True)
        assert available_backends("cuda") == BACKENDS


def test_torchkbnufft_is_silent_and_ends_well_in_a_process_of_its_own():
    program = (
        "import torch; torch.set_num_threads(1)\n"
        "from DynamicMRIReconLib.operators.nufft import NufftOperator\n"
        "operator = NufftOperator(torch.zeros(4, 2, 8, 2), (8, 9), backend='torchkbnufft')\n"
        "operator.gram(torch.ones(4, 2, 8, 9, dtype=torch.complex64))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
