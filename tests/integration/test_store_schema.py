"""The schema: made by the migrations alone, the same as the tables, and never run backwards."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from bot.core.errors import Unavailable
from bot.store import migrations, schema
from bot.store.database import open_store
from bot.store.tables import metadata
from tests.unit.store.values import a_change, a_run


def test_the_migrations_make_the_very_tables_that_the_code_uses() -> None:
    with create_engine("sqlite://").begin() as connection:
        schema.upgrade(connection)

        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_newest_migration() -> None:
    (folder,) = migrations.__path__

    assert ScriptDirectory(folder).get_current_head() == schema.HEAD


async def test_a_database_is_kept_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"
    store = await open_store(path)
    await store.commit(a_change(a_run()))
    await store.close()

    again = await open_store(path)

    assert [run.id for run in await again.runs()] == ["R-1"]
    await again.close()


async def test_a_database_of_a_newer_deputy_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"
    await (await open_store(path)).close()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(Unavailable, match=r"newer Deputy .*9999.*Start the newer Deputy"):
        await open_store(path)


async def test_a_migration_that_breaks_halfway_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deputy.db"
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(text("CREATE TABLE secrets (mine TEXT)"))

    with pytest.raises(Unavailable, match="already exists"):
        await open_store(path)

    with create_engine(f"sqlite:///{path}").begin() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert names == ["secrets"]


async def test_many_may_open_a_fresh_database_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deputy.db"

    stores = await asyncio.gather(*(open_store(path) for _ in range(5)))

    await stores[0].commit(a_change(a_run()))
    assert [len(await store.runs()) for store in stores] == [1] * 5
    await asyncio.gather(*(store.close() for store in stores))


async def test_opening_an_up_to_date_database_does_not_load_alembic(tmp_path: Path) -> None:
    await (await open_store(tmp_path / "deputy.db")).close()
    program = (
        "import asyncio, sys, pathlib\n"
        "from bot.store.database import open_store\n"
        "async def main():\n"
        "    await (await open_store(pathlib.Path(sys.argv[1]))).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )

    run = subprocess.run([sys.executable, "-c", program, str(tmp_path / "deputy.db")], check=False)

    assert run.returncode == 0
