"""Speech: MICCAN and IFNet as one method."""

import numpy as np
import pytest
from ifnet_cases import run
from kspace_cases import cartesian_case
from tiny_models import tiny_ifnet, tiny_miccan

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods import registry


@pytest.fixture(scope="module")
def weights(folder):
    return str(tiny_ifnet(folder))


class TestSpeech:
    def test_it_is_miccan_and_then_ifnet(self, folder, weights):
        kspace, _ = cartesian_case(frames=4, shape=(2, 32, 36), coils=2)
        first = str(tiny_miccan(folder))
        whole = dmr.reconstruct(
            kspace, "speech", device="cpu", weights=first, interpolation_weights=weights, temporal_upsampling=3
        )
        measured = dmr.reconstruct(kspace, "miccan", device="cpu", weights=first)
        expected = run(measured, weights, temporal_upsampling=3)
        np.testing.assert_array_equal(whole.array, expected.array)
        np.testing.assert_array_equal(whole.times_s, expected.times_s)
        np.testing.assert_array_equal(whole.synthetic, expected.synthetic)
        assert set(whole.metadata["models"]) == {"miccan", "ifnet"}
        assert whole.array.dtype == np.complex64

    def test_wrong_weights_of_either_network_are_refused_and_so_is_a_bad_request_before_any_work(self, folder, weights):
        kspace, _ = cartesian_case()
        first = str(tiny_miccan(folder))
        steps = []

        def callback(status):
            steps.append(status.message)

        for values in (
            {"weights": weights, "interpolation_weights": weights},
            {"weights": first, "interpolation_weights": first},
            {"weights": first, "interpolation_weights": weights, "save_flow": "flow.txt"},
        ):
            steps.clear()
            with pytest.raises(InputError, match=r"is needed|must end in"):
                dmr.reconstruct(kspace, "speech", device="cpu", callback=callback, **values)
        assert not steps

    def test_progress_rises_to_one(self, folder, weights):
        fractions = []
        dmr.reconstruct(
            cartesian_case()[0], "speech", device="cpu", weights=str(tiny_miccan(folder)),
            interpolation_weights=weights, callback=lambda status: fractions.append(status.fraction),
        )  # fmt: skip
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1

    def test_estimates_hold_both(self):
        kspace, _ = cartesian_case(frames=8)
        one, both = (registry.get(key) for key in ("miccan", "speech"))
        least = one.estimate(kspace, one.parameters(), "cpu")
        most = both.estimate(kspace, both.parameters(temporal_upsampling=4), "cpu")
        assert most.seconds > least.seconds
        assert most.memory_bytes >= least.memory_bytes
