import pytest
import torch

from oecal.core import device
from oecal.core.errors import OecalError


def test_cpu():
    threads = torch.get_num_threads()
    assert device.set_up_device("cpu", 1) == torch.device("cpu")
    assert torch.get_num_threads() == 1
    torch.set_num_threads(threads)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what a machine without CUDA does")
def test_without_cuda():
    assert device.set_up_device("auto", 1) == torch.device("cpu")
    with pytest.raises(
        OecalError,
        match="device: found 'cuda', but this machine has 0 CUDA devices; use auto or cpu",
    ):
        device.set_up_device("cuda", 1)


@pytest.mark.parametrize(
    "precision, dtype", [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_precision(precision, dtype):
    with device.autocast(torch.device("cpu"), precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(
    "flags, expected", [("fpu avx2 avx512_bf16", True), ("fpu avx2 avx512f", False), ("", False)]
)
def test_bfloat16_needs_hardware(monkeypatch, tmp_path, flags, expected):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor : 0\nflags : {flags}\n" if flags else "processor : 0\n")
    monkeypatch.setattr("builtins.open", lambda path: info.open())
    assert device.has_bfloat16(torch.device("cpu")) is expected


def test_no_cpuinfo(monkeypatch):
    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr("builtins.open", missing)
    assert device.has_bfloat16(torch.device("cpu")) is False


def test_what_auto_means(monkeypatch):
    cpu = torch.device("cpu")
    for has, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(device, "has_bfloat16", lambda _, has=has: has)
        assert device.resolve_precision(cpu, "auto") == expected
        assert device.resolve_precision(cpu, "float32") == "float32"
