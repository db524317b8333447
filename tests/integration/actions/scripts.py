"""The shipped actions as modules, so that tests can call their `main`."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ACTIONS = Path(__file__).parents[3] / "actions"
for libraries in sorted(ACTIONS.glob("*/_lib")):
    sys.path.append(str(libraries))


def script(name: str) -> ModuleType:
    """Load `unlock-account` or `unlock-account.verify`."""
    path = next(ACTIONS.glob(f"*/{name}.py"))
    spec = spec_from_file_location(name.replace("-", "_").replace(".", "_"), path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def library(name: str) -> ModuleType:
    """Return a library of the actions, the one that `script` shares."""
    return import_module(name)
