"""Saved views as a file: there after a restart, bounded, and put aside where it can't be read."""

from pathlib import Path

import pytest

from holdfast.console import views
from holdfast.console.views import TooMany, Views


async def test_views_are_there_after_a_restart_and_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "EACH_MAX", 2)
    folder = tmp_path / "new"
    kept, memory = Views(folder), Views(None)
    for one in (kept, memory):
        await one.save("ann", "Zoë 灯", "/orders", "status=PENDING", shared=True)
        await one.save("ann", "b", "/orders", "", shared=False)
        with pytest.raises(TooMany):
            await one.save("ann", "c", "/orders", "", shared=False)
        await one.save("ann", "b", "/orders", "replaced=1", shared=False)

    assert (kept.last, memory.last) == (True, False)
    assert Views(folder).of("ann") == kept.of("ann")
    assert [one.query for one in kept.of("ann")] == ["replaced=1", "status=PENDING"]
    assert [one.name for one in Views(folder).of("bob")] == ["Zoë 灯"]
    assert [one.name for one in folder.iterdir()] == ["views.json"]
    assert (folder / "views.json").stat().st_mode & 0o077 == 0


async def test_a_disk_that_takes_nothing_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Views(tmp_path)
    saved = await kept.save("ann", "a", "/orders", "", shared=False)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        await kept.remove(saved.view_id)
    assert kept.of("ann") == Views(tmp_path).of("ann") == [saved]
    assert [one.name for one in tmp_path.iterdir()] == ["views.json"]


@pytest.mark.parametrize("text", ['[{"view_id": ', '{"a": 1}', '[{"other": 1}]', "7"])
async def test_a_file_that_is_damaged_is_put_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / "views.json").write_text(text)
    kept = Views(tmp_path)
    assert kept.of("ann") == []
    await kept.save("ann", "a", "/orders", "", shared=False)
    assert (tmp_path / "views.damaged").read_text() == text
    assert len(Views(tmp_path).of("ann")) == 1
