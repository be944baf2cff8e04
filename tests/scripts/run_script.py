"""Run a script of the workflow in this process, with a stand-in for the `snakemake` object."""

import runpy
from types import SimpleNamespace

from oecal.core.codegraph import ROOT


class NamedList(list):
    """A list whose entries also have names, like Snakemake's."""

    def __init__(self, **named):
        super().__init__(named.values())
        self._named = named

    def __getattr__(self, name):
        try:
            return self.__dict__["_named"][name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name, default=None):
        return self._named.get(name, default)

    def items(self):
        return self._named.items()


def run_script(script, folder, config, *, input=None, output=None, params=None, wildcards=None):
    """Run a script as Snakemake would; it logs to `folder`."""
    fake = SimpleNamespace(
        input=NamedList(**(input or {})),
        output=NamedList(**(output or {})),
        params=NamedList(**(params or {})),
        wildcards=NamedList(**(wildcards or {})),
        log=[str(folder / "x.log")],
        config=config,
        threads=1,
    )
    runpy.run_path(
        str(ROOT / "workflow/scripts" / f"{script}.py"),
        init_globals={"snakemake": fake},
        run_name="__main__",
    )
