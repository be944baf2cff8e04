"""Small copies of the published sets that are arrays: MNIST and relatives, CIFAR, SVHN, ..."""

import gzip
import io

import numpy as np
from scipy.io import savemat

from oecal.data.table import load_published_sets
from tests.data.published_writers import (
    N,
    draw_splits,
    drop_labels,
    pack,
    put_below,
    write_idx,
    write_pickle,
)


def make_idx(name, rng):
    row, truth = load_published_sets()[name], draw_splits(rng, (1, 28, 28))
    loose = {}
    for file, about in row["files"].items():
        images, labels = truth[about["split"]]
        extra = rng.integers(0, 9, (len(labels), 7))
        wide = (
            np.column_stack([labels, extra]).astype(np.int32)
            if "idx2" in file
            else labels.astype(np.uint8)
        )
        loose[file.removesuffix(".gz")] = write_idx(images[:, 0] if "images" in file else wide)
    return (
        {f"{file}.gz": gzip.compress(body) for file, body in loose.items()},
        put_below(row["folder"], loose),
        truth,
    )


def make_emnist(name, rng):
    truth, loose = (
        draw_splits(rng, (1, 28, 28)),
        {"emnist-mnist-test-labels-idx1-ubyte": b"another version"},
    )
    for split, (images, labels) in truth.items():
        loose[f"emnist-letters-{split}-images-idx3-ubyte"] = write_idx(images[:, 0].swapaxes(1, 2))
        loose[f"emnist-letters-{split}-labels-idx1-ubyte"] = write_idx(
            (labels + 1).astype(np.uint8)
        )
    inside = {f"gzip/{file}.gz": gzip.compress(body) for file, body in loose.items()}
    return {"gzip.zip": pack("gzip.zip", inside)}, put_below("EMNIST/raw", loose), truth


def make_cifar10(name, rng):
    truth = draw_splits(rng, (3, 32, 32))
    files = {"batches.meta": write_pickle({"label_names": load_published_sets()[name]["classes"]})}
    for n, part in enumerate(np.array_split(np.arange(N["train"]), 5), 1):
        images, labels = (array[part] for array in truth["train"])
        files[f"data_batch_{n}"] = write_pickle(
            {
                "batch_label": f"{n} of 5",
                "data": images.reshape(-1, 3072),
                "labels": labels.tolist(),
            }
        )
    images, labels = truth["test"]
    files["test_batch"] = write_pickle(
        {"data": images.reshape(-1, 3072), "labels": labels.tolist()}
    )
    files = put_below("cifar-10-batches-py", files)
    return {"cifar-10-python.tar.gz": pack("gz", files)}, files, truth


def make_cifar100(name, rng):
    truth, files = (
        draw_splits(rng, (3, 32, 32), step=40),
        {"meta": write_pickle({"fine_label_names": load_published_sets()[name]["classes"]})},
    )
    for split, (images, labels) in truth.items():
        coarse = (labels % 2).tolist()
        files[split] = write_pickle(
            {
                "data": images.reshape(-1, 3072),
                "coarse_labels": coarse,
                "fine_labels": labels.tolist(),
            }
        )
    files = put_below("cifar-100-python", files)
    return {"cifar-100-python.tar.gz": pack("gz", files)}, files, truth


def make_svhn(name, rng):
    truth, files = draw_splits(rng, (3, 32, 32)), {}
    for split, (images, labels) in truth.items():
        savemat(
            file := io.BytesIO(),
            {
                "X": images.transpose(2, 3, 1, 0),
                "y": np.where(labels == 0, 10, labels).astype(np.uint8)[:, None],
            },
        )
        files[f"{split}_32x32.mat"] = file.getvalue()
    return files, files, truth


def make_stl10(name, rng):
    truth, files = (
        draw_splits(rng, (3, 96, 96)),
        {"stl10_binary/unlabeled_X.bin": bytes(3 * 96 * 96)},
    )
    for split, (images, labels) in truth.items():
        files[f"stl10_binary/{split}_X.bin"] = images.swapaxes(2, 3).tobytes()
        files[f"stl10_binary/{split}_y.bin"] = (labels + 1).astype(np.uint8).tobytes()
    return {"stl10_binary.tar.gz": pack("gz", files)}, files, truth


def make_random_images_300k(name, rng):
    truth = draw_splits(rng, (3, 32, 32), ("train",))
    np.save(file := io.BytesIO(), truth["train"][0].transpose(0, 2, 3, 1))
    files = {"300K_random_images.npy": file.getvalue()}
    return files, files, drop_labels(truth)


def make_imagenet32(name, rng):
    truth = draw_splits(rng, (3, 32, 32), step=400)
    files = {}
    for split, parts in (
        ("train", ("train_data_batch_1", "train_data_batch_10", "train_data_batch_2")),
        ("val", ("val_data",)),
    ):
        images, labels = truth["test" if split == "val" else split]
        inside = {}
        for part, rows in zip(
            parts, np.array_split(np.arange(len(images)), len(parts)), strict=True
        ):
            np.savez(
                file := io.BytesIO(),
                data=images[rows].reshape(-1, 3072),
                labels=labels[rows] + 1,
                mean=images.mean(),
            )
            inside[f"{part}.npz"] = file.getvalue()
        files[f"Imagenet32_{split}_npz"] = inside
    loose = [put_below(f"imagenet32/{folder}", inside) for folder, inside in files.items()]
    return (
        {f"{folder}.zip": pack("x.zip", inside) for folder, inside in files.items()},
        loose[0] | loose[1],
        truth,
    )
