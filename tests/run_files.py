"""A run's file as predictions and scores leave it, by hand."""

import h5py

KEY = {"in_dist": "a", "model": "m", "training": "t", "seed": 0}


def written(path, groups, kind="classifier", **key):
    """groups: {`set/split`: (role, {name: values})}; key: what differs from KEY.

    Returns the path.
    """
    with h5py.File(path, "w") as file:
        file.attrs.update(KEY | key, kind=kind, dims=4, order=list(groups))
        for place, (role, arrays) in groups.items():
            file.create_group(place).attrs["role"] = role
            for name, values in arrays.items():
                file[place][name] = values
    return str(path)
