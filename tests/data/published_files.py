"""Small files of every published set, laid out as the originals are, packed and unpacked, and what is in them."""

import copy
import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from typing import ClassVar

import numpy as np
from PIL import Image
from scipy.io import savemat

from oecal.data.preprocess import Format
from oecal.data.table import load_published_sets

N = {"train": 9, "val": 3, "test": 4}


class Python2(pickle._Pickler):
    """Writes texts and bytes as Python 2 did, which wrote CIFAR: both are the same there."""

    dispatch: ClassVar[dict] = dict(pickle._Pickler.dispatch)

    def save_text(self, text):
        content = text if isinstance(text, bytes) else text.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + content)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_text


def pickled(value):
    file = io.BytesIO()
    Python2(file, protocol=2).dump(value)
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def packed(file, members):
    """An archive of the kind that its name says; its members in no helpful order."""
    content, backwards = io.BytesIO(), sorted(members.items(), reverse=True)
    if file.endswith(".zip"):
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in backwards:
                archive.writestr(name, body)
        return content.getvalue()
    with tarfile.open(fileobj=content, mode="w:gz" if file.endswith("gz") else "w") as archive:
        for name, body in backwards:
            header = tarfile.TarInfo(name)
            header.size = len(body)
            archive.addfile(header, io.BytesIO(body))
    return content.getvalue()


def below(folder, members):
    return {f"{folder}/{name}": body for name, body in members.items()}


def idx(array):
    kind = {"uint8": 0x08, "int32": 0x0C}[array.dtype.name]
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def png(image, mode=None):
    """Lossless, so that what is read must be what went in, whatever the file's name says."""
    file = io.BytesIO()
    picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    (picture.convert(mode) if mode else picture).save(file, "PNG")
    return file.getvalue()


def draw(rng, shape, splits=("train", "test"), step=1):
    """{split: (images, labels)}, of three classes"""
    return {
        s: (rng.integers(0, 256, (N[s], *shape), np.uint8), np.arange(N[s]) % 3 * step)
        for s in splits
    }


def of_idx(name, rng):
    row, truth = load_published_sets()[name], draw(rng, (1, 28, 28))
    loose = {}
    for file, about in row["files"].items():
        images, labels = truth[about["split"]]
        extra = rng.integers(0, 9, (len(labels), 7))
        wide = (
            np.column_stack([labels, extra]).astype(np.int32)
            if "idx2" in file
            else labels.astype(np.uint8)
        )
        loose[file.removesuffix(".gz")] = idx(images[:, 0] if "images" in file else wide)
    return (
        {f"{file}.gz": gzip.compress(body) for file, body in loose.items()},
        below(row["folder"], loose),
        truth,
    )


def of_emnist(name, rng):
    truth, loose = (
        draw(rng, (1, 28, 28)),
        {"emnist-mnist-test-labels-idx1-ubyte": b"another version"},
    )
    for split, (images, labels) in truth.items():
        loose[f"emnist-letters-{split}-images-idx3-ubyte"] = idx(images[:, 0].swapaxes(1, 2))
        loose[f"emnist-letters-{split}-labels-idx1-ubyte"] = idx((labels + 1).astype(np.uint8))
    inside = {f"gzip/{file}.gz": gzip.compress(body) for file, body in loose.items()}
    return {"gzip.zip": packed("gzip.zip", inside)}, below("EMNIST/raw", loose), truth


def of_cifar10(name, rng):
    truth = draw(rng, (3, 32, 32))
    files = {"batches.meta": pickled({"label_names": load_published_sets()[name]["classes"]})}
    for n, part in enumerate(np.array_split(np.arange(N["train"]), 5), 1):
        images, labels = (array[part] for array in truth["train"])
        files[f"data_batch_{n}"] = pickled(
            {
                "batch_label": f"{n} of 5",
                "data": images.reshape(-1, 3072),
                "labels": labels.tolist(),
            }
        )
    images, labels = truth["test"]
    files["test_batch"] = pickled({"data": images.reshape(-1, 3072), "labels": labels.tolist()})
    files = below("cifar-10-batches-py", files)
    return {"cifar-10-python.tar.gz": packed("gz", files)}, files, truth


def of_cifar100(name, rng):
    truth, files = (
        draw(rng, (3, 32, 32), step=40),
        {"meta": pickled({"fine_label_names": load_published_sets()[name]["classes"]})},
    )
    for split, (images, labels) in truth.items():
        coarse = (labels % 2).tolist()
        files[split] = pickled(
            {
                "data": images.reshape(-1, 3072),
                "coarse_labels": coarse,
                "fine_labels": labels.tolist(),
            }
        )
    files = below("cifar-100-python", files)
    return {"cifar-100-python.tar.gz": packed("gz", files)}, files, truth


def of_svhn(name, rng):
    truth, files = draw(rng, (3, 32, 32)), {}
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


def of_stl10(name, rng):
    truth, files = draw(rng, (3, 96, 96)), {"stl10_binary/unlabeled_X.bin": bytes(3 * 96 * 96)}
    for split, (images, labels) in truth.items():
        files[f"stl10_binary/{split}_X.bin"] = images.swapaxes(2, 3).tobytes()
        files[f"stl10_binary/{split}_y.bin"] = (labels + 1).astype(np.uint8).tobytes()
    return {"stl10_binary.tar.gz": packed("gz", files)}, files, truth


def unlabelled(truth):
    return {split: (images, np.full(len(images), -1)) for split, (images, _) in truth.items()}


def of_celeba(name, rng):
    truth, files, lines = draw(rng, (3, 12, 10), tuple(N)), {}, []
    for number, split in enumerate(truth):
        for image in truth[split][0]:
            lines.append(f"{len(lines) + 1:06}.jpg {number}")
            files[f"img_align_celeba/{lines[-1][:10]}"] = png(image)
    files["img_align_celeba/extra.jpg"] = b"in no split"
    lists = {"list_eval_partition.txt": "\n".join(lines).encode()}
    tables = (
        "list_attr_celeba",
        "identity_CelebA",
        "list_bbox_celeba",
        "list_landmarks_align_celeba",
    )  # torchvision wants them
    head = {file: "" if file.startswith("identity") else f"{len(lines)}\na\n" for file in tables}
    more = {
        f"{file}.txt": (head[file] + "\n".join(f"{line[:10]} 1" for line in lines)).encode()
        for file in tables
    }
    return (
        {"img_align_celeba.zip": packed("x.zip", files), **lists},
        below("celeba", files | lists | more),
        unlabelled(truth),
    )


def of_dtd(name, rng):
    truth, files = (
        draw(rng, (3, 8, 8), tuple(N)),
        {"dtd/images/striped/striped_0001.jpg": b"in no list"},
    )
    for split, (images, labels) in truth.items():
        places = [
            f"{('banded', 'dotted', 'woven')[label]}/{split}_{n:04}.jpg"
            for n, label in enumerate(labels)
        ]
        files |= {
            f"dtd/images/{place}": png(image) for place, image in zip(places, images, strict=True)
        }
        order = np.argsort(places)
        truth[split] = images[order], labels[order]
        files[f"dtd/labels/{split}1.txt"] = "\n".join(sorted(places)).encode()
        files[f"dtd/labels/{split}2.txt"] = b"striped/striped_0001.jpg\n"
    return {"dtd-r1.0.1.tar.gz": packed("gz", files)}, below("dtd", files), truth


def of_omniglot(name, rng):
    truth = draw(rng, (1, 9, 9))
    files = {}
    for split, folder in (("train", "images_background"), ("test", "images_evaluation")):
        images = np.where(truth[split][0] > 127, np.uint8(255), np.uint8(0))
        truth[split] = images, truth[split][1]
        files[folder] = {
            f"{folder}/Latin/character{n:02}/{n:04}_01.png": png(image, "1")
            for n, image in enumerate(images)
        }
    archives = {f"{folder}.zip": packed("x.zip", inside) for folder, inside in files.items()}
    loose = below(
        "omniglot-py", {**files["images_background"], **files["images_evaluation"]} | archives
    )  # torchvision wants them too
    return archives, loose, unlabelled(truth)


def of_places365(name, rng):
    truth = draw(rng, (3, 16, 16), ("test",))
    images, labels = truth["test"]
    files = {f"val_256/Places365_val_{n:08}.jpg": png(image) for n, image in enumerate(images)}
    names = ("/a/airfield 0", "/b/bus_station/indoor 1", "/z/zen_garden 2")
    lists = {
        "categories_places365.txt": "\n".join(names).encode(),
        "places365_val.txt": "\n".join(
            f"{file[8:]} {label}" for file, label in zip(files, labels, strict=True)
        ).encode(),
        "places365_test.txt": b"not for us",
    }
    lists_archive = {"filelist_places365-standard.tar": packed("x.tar", lists)}
    return (
        {"val_256.tar": packed("x.tar", files), **lists_archive},
        files | lists | lists_archive,
        truth,
    )


WNIDS = ("n01443537", "n02124075", "n04067472")


def of_tiny_imagenet(name, rng):
    truth, root = draw(rng, (3, 64, 64)), "tiny-imagenet-200"
    truth["test"][0][0] = truth["test"][0][0, :1]  # a grey one, in a grey file
    files, notes = {}, []
    for n, (image, label) in enumerate(zip(*truth["train"], strict=True)):
        files[f"{root}/train/{WNIDS[label]}/images/{WNIDS[label]}_{n}.JPEG"] = png(image)
    for n, (image, label) in enumerate(zip(*truth["test"], strict=True)):
        files[f"{root}/val/images/val_{n}.JPEG"] = png(image[:1] if n == 0 else image)
        notes.append(f"val_{n}.JPEG\t{WNIDS[label]}\t0\t32\t44\t62")
    files[f"{root}/val/val_annotations.txt"] = "\n".join(notes).encode()
    files[f"{root}/test/images/test_0.JPEG"] = b"without a label"
    files[f"{root}/wnids.txt"] = "\n".join(reversed(WNIDS)).encode()
    files[f"{root}/words.txt"] = "\n".join(
        f"{wnid}\tfirst, second" for wnid in (*WNIDS, "n99999999")
    ).encode()
    order = np.argsort(truth["train"][1], kind="stable")
    truth["train"] = tuple(array[order] for array in truth["train"])
    return {"tiny-imagenet-200.zip": packed("x.zip", files)}, files, truth


def of_imagenet(name, rng):
    truth, files = draw(rng, (3, 16, 16)), {}
    for split, folder in (("train", "train"), ("test", "val")):
        images, labels = truth[split]
        files |= {
            f"imagenet/{folder}/{WNIDS[k]}/{n}.JPEG": png(image)
            for n, (image, k) in enumerate(zip(images, labels, strict=True))
        }
        order = np.argsort(labels, kind="stable")
        truth[split] = images[order], labels[order]
    return {}, files, truth


def of_icons50(name, rng):
    images, labels = draw(rng, (4, 16, 16), ("test",))["test"]
    images[:, 3] = np.where(images[:, 3] < 128, np.uint8(0), np.uint8(255))
    shown = np.where(images[:, 3:] == 0, np.uint8(255), images[:, :3])  # white shines through
    files = {
        f"Icons-50/{('airplane', 'ball', 'tree')[k]}/{n}.png": png(images[n])
        for n, k in enumerate(labels)
    }
    order = np.argsort(labels, kind="stable")
    return {}, files, {"test": (shown[order], labels[order])}


def of_random_images_300k(name, rng):
    truth = draw(rng, (3, 32, 32), ("train",))
    np.save(file := io.BytesIO(), truth["train"][0].transpose(0, 2, 3, 1))
    files = {"300K_random_images.npy": file.getvalue()}
    return files, files, unlabelled(truth)


def of_imagenet32(name, rng):
    truth = draw(rng, (3, 32, 32), step=400)
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
    loose = [below(f"imagenet32/{folder}", inside) for folder, inside in files.items()]
    return (
        {f"{folder}.zip": packed("x.zip", inside) for folder, inside in files.items()},
        loose[0] | loose[1],
        truth,
    )


IDX = ("mnist", "fashion_mnist", "kmnist", "qmnist", "notmnist")
OTHERS = (
    of_emnist,
    of_cifar10,
    of_cifar100,
    of_svhn,
    of_stl10,
    of_celeba,
    of_dtd,
    of_omniglot,
    of_places365,
    of_tiny_imagenet,
    of_imagenet,
)
OTHERS += (of_icons50, of_random_images_300k, of_imagenet32)
MAKE = dict.fromkeys(IDX, of_idx) | {
    make.__name__.removeprefix("of_").replace("emnist", "emnist_letters"): make for make in OTHERS
}
FORMS = {
    "celeba": (3, 12, 10),
    "dtd": (3, 8, 8),
    "omniglot": (1, 9, 9),
    "places365": (3, 16, 16),
    "tiny_imagenet": (3, 64, 64),
}
FORMS |= {"imagenet": (3, 16, 16), "icons50": (3, 16, 16)}


def form_of(name):
    """The sizes drawn here, where a reader wants to be told one."""
    return Format(FORMS[name]) if name in FORMS else None


def pin(about, content):
    for kind in {"md5", "sha256"} & set(about):
        about[kind] = hashlib.new(kind, content).hexdigest()
    if "size" in about:
        about["size"] = len(content)


def lay(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def make(name, folder, monkeypatch, rng):
    """Data roots with the set's files, packed (if it comes so) and unpacked, and what is in them; the table then knows these files."""
    files, loose, truth = MAKE[name](name, rng)
    row = copy.deepcopy(load_published_sets()[name])
    row |= {
        "mirrors": [],
        "get": "",
        "images": {split: len(images) for split, (images, _) in truth.items()},
    }
    for file, about in row["files"].items():
        about.pop("urls", None)
        pin(about, files.get(file, b""))
    for path, about in row.get("unpacked", {}).items():
        pin(about, loose[path])
    monkeypatch.setitem(load_published_sets(), name, row)
    roots = [lay(folder / "packed", below(row["folder"], files))] if files else []
    return [*roots, lay(folder / "loose", loose)], truth
