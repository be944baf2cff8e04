"""Small copies of the published sets that are image files: CelebA, DTD, ImageNet, ..."""

import numpy as np

from tests.data.published_writers import (
    WNIDS,
    N,
    draw_splits,
    drop_labels,
    pack,
    put_below,
    write_png,
)


def make_celeba(name, rng):
    truth, files, lines = draw_splits(rng, (3, 12, 10), tuple(N)), {}, []
    for number, split in enumerate(truth):
        for image in truth[split][0]:
            lines.append(f"{len(lines) + 1:06}.jpg {number}")
            files[f"img_align_celeba/{lines[-1][:10]}"] = write_png(image)
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
        {"img_align_celeba.zip": pack("x.zip", files), **lists},
        put_below("celeba", files | lists | more),
        drop_labels(truth),
    )


def make_dtd(name, rng):
    truth, files = (
        draw_splits(rng, (3, 8, 8), tuple(N)),
        {"dtd/images/striped/striped_0001.jpg": b"in no list"},
    )
    for split, (images, labels) in truth.items():
        places = [
            f"{('banded', 'dotted', 'woven')[label]}/{split}_{n:04}.jpg"
            for n, label in enumerate(labels)
        ]
        files |= {
            f"dtd/images/{place}": write_png(image)
            for place, image in zip(places, images, strict=True)
        }
        order = np.argsort(places)
        truth[split] = images[order], labels[order]
        files[f"dtd/labels/{split}1.txt"] = "\n".join(sorted(places)).encode()
        files[f"dtd/labels/{split}2.txt"] = b"striped/striped_0001.jpg\n"
    return {"dtd-r1.0.1.tar.gz": pack("gz", files)}, put_below("dtd", files), truth


def make_omniglot(name, rng):
    truth = draw_splits(rng, (1, 9, 9))
    files = {}
    for split, folder in (("train", "images_background"), ("test", "images_evaluation")):
        images = np.where(truth[split][0] > 127, np.uint8(255), np.uint8(0))
        truth[split] = images, truth[split][1]
        files[folder] = {
            f"{folder}/Latin/character{n:02}/{n:04}_01.png": write_png(image, "1")
            for n, image in enumerate(images)
        }
    archives = {f"{folder}.zip": pack("x.zip", inside) for folder, inside in files.items()}
    loose = put_below(
        "omniglot-py", {**files["images_background"], **files["images_evaluation"]} | archives
    )  # torchvision wants them too
    return archives, loose, drop_labels(truth)


def make_places365(name, rng):
    truth = draw_splits(rng, (3, 16, 16), ("test",))
    images, labels = truth["test"]
    files = {
        f"val_256/Places365_val_{n:08}.jpg": write_png(image) for n, image in enumerate(images)
    }
    names = ("/a/airfield 0", "/b/bus_station/indoor 1", "/z/zen_garden 2")
    lists = {
        "categories_places365.txt": "\n".join(names).encode(),
        "places365_val.txt": "\n".join(
            f"{file[8:]} {label}" for file, label in zip(files, labels, strict=True)
        ).encode(),
        "places365_test.txt": b"not for us",
    }
    lists_archive = {"filelist_places365-standard.tar": pack("x.tar", lists)}
    return (
        {"val_256.tar": pack("x.tar", files), **lists_archive},
        files | lists | lists_archive,
        truth,
    )


def make_tiny_imagenet(name, rng):
    truth, root = draw_splits(rng, (3, 64, 64)), "tiny-imagenet-200"
    truth["test"][0][0] = truth["test"][0][0, :1]  # a grey one, in a grey file
    files, notes = {}, []
    for n, (image, label) in enumerate(zip(*truth["train"], strict=True)):
        files[f"{root}/train/{WNIDS[label]}/images/{WNIDS[label]}_{n}.JPEG"] = write_png(image)
    for n, (image, label) in enumerate(zip(*truth["test"], strict=True)):
        files[f"{root}/val/images/val_{n}.JPEG"] = write_png(image[:1] if n == 0 else image)
        notes.append(f"val_{n}.JPEG\t{WNIDS[label]}\t0\t32\t44\t62")
    files[f"{root}/val/val_annotations.txt"] = "\n".join(notes).encode()
    files[f"{root}/test/images/test_0.JPEG"] = b"without a label"
    files[f"{root}/wnids.txt"] = "\n".join(reversed(WNIDS)).encode()
    files[f"{root}/words.txt"] = "\n".join(
        f"{wnid}\tfirst, second" for wnid in (*WNIDS, "n99999999")
    ).encode()
    order = np.argsort(truth["train"][1], kind="stable")
    truth["train"] = tuple(array[order] for array in truth["train"])
    return {"tiny-imagenet-200.zip": pack("x.zip", files)}, files, truth


def make_imagenet(name, rng):
    truth, files = draw_splits(rng, (3, 16, 16)), {}
    for split, folder in (("train", "train"), ("test", "val")):
        images, labels = truth[split]
        files |= {
            f"imagenet/{folder}/{WNIDS[k]}/{n}.JPEG": write_png(image)
            for n, (image, k) in enumerate(zip(images, labels, strict=True))
        }
        order = np.argsort(labels, kind="stable")
        truth[split] = images[order], labels[order]
    return {}, files, truth


def make_icons50(name, rng):
    images, labels = draw_splits(rng, (4, 16, 16), ("test",))["test"]
    images[:, 3] = np.where(images[:, 3] < 128, np.uint8(0), np.uint8(255))
    shown = np.where(images[:, 3:] == 0, np.uint8(255), images[:, :3])  # white shines through
    files = {
        f"Icons-50/{('airplane', 'ball', 'tree')[k]}/{n}.png": write_png(images[n])
        for n, k in enumerate(labels)
    }
    order = np.argsort(labels, kind="stable")
    return {}, files, {"test": (shown[order], labels[order])}
