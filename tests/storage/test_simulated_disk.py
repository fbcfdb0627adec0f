"""The simulated disk loses what it may lose, never what it must keep, and finds every way to lose it."""

import errno
from collections.abc import Callable
from random import Random

import pytest
from tests.storage.simulated_disk import Fault, PowerLoss, SimulatedDisk

SEEDS = range(300)


def crashes(prepare: Callable[[SimulatedDisk], None]) -> list[dict[str, bytes]]:
    """What is found after many power losses, each after `prepare`."""
    found: list[dict[str, bytes]] = []
    for seed in SEEDS:
        disk = SimulatedDisk(Random(seed))
        prepare(disk)
        found.append(disk.crash(Random(seed)).files())
    return found


def contents(prepare: Callable[[SimulatedDisk], None], path: str = "f") -> set[bytes | None]:
    """What is found of one file."""
    return {files.get(path) for files in crashes(prepare)}


def test_nothing_but_what_is_safe_is_sure() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"old")
        disk.open("f").write(0, [b"n", b"ew"])

    assert contents(prepare) == {b"old", b"new"}


def test_synced_write_is_found() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"old")
        file = disk.open("f")
        file.write(0, [b"new"])
        file.sync()

    assert contents(prepare) == {b"new"}


def test_written_sectors_are_found_independently() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"o" * 2048)
        disk.open("f").write(0, [b"n" * 2048])

    found = contents(prepare)
    torn = {file for file in found if file is not None and set(file) == set(b"on")}
    assert {b"o" * 2048, b"n" * 2048, b"o" * 512 + b"n" * 512 + b"o" * 1024} < found
    assert all(len(set(file[at : at + 512])) == 1 for file in torn for at in range(0, 2048, 512))


def test_sector_is_found_as_after_some_of_its_writes() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"....")
        file = disk.open("f")
        for at in range(3):
            file.write(at, [b"%d" % at])

    assert contents(prepare) == {b"....", b"0...", b"01..", b"012."}


def test_write_at_the_end_may_leave_zeros_but_no_size_that_never_was() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"a" * 4096)
        file = disk.open("f")
        file.write(4096, [b"b" * 4096])
        file.write(8192, [b"c" * 4096])

    found = contents(prepare)
    assert {len(file or b"") for file in found} == {4096, 8192, 12288}
    assert b"a" * 4096 + bytes(4096) + b"c" * 4096 in found
    assert all(file is not None and file[:4096] == b"a" * 4096 for file in found)


def test_what_follows_a_cut_that_is_lost_is_lost() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"old")
        file = disk.open("f")
        file.truncate(0)
        file.write(0, [b"new!"])

    assert contents(prepare) == {b"old", b"", b"new!", bytes(4)}


def test_allocated_space_is_zeros() -> None:
    disk = SimulatedDisk()
    disk.put("f", b"a")
    disk.open("f").allocate(4)
    disk.open("f").allocate(2)
    assert disk.files() == {"f": b"a\0\0\0"}


def test_created_file_goes_with_its_name_though_it_was_synced() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        file = disk.open("f", create=True)
        file.write(0, [b"new"])
        file.sync()

    assert contents(prepare) == {None, b"new"}


def test_synced_name_stays_and_may_have_no_content() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.open("f", create=True).write(0, [b"new"])
        disk.sync_directory("")

    assert contents(prepare) == {b"", b"new", bytes(3)}


def test_rename_is_found_before_or_after_never_between() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("a", b"1")
        disk.put("b", b"2")
        disk.rename("a", "b")

    found = crashes(prepare)
    assert {"a": b"1", "b": b"2"} in found
    assert {"b": b"1"} in found
    assert all(files in ({"a": b"1", "b": b"2"}, {"b": b"1"}) for files in found)


def test_synced_rename_holds_with_the_creation_that_it_builds_on() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.make_directory("x")
        disk.make_directory("y")
        disk.sync_directory("")
        disk.open("x/a", create=True)
        disk.rename("x/a", "y/b")
        disk.sync_directory("y")

    assert all(set(files) == {"y/b"} for files in crashes(prepare))


def test_removed_file_may_come_back_until_its_directory_is_synced() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("f", b"old")
        disk.remove("f")

    def prepare_synced(disk: SimulatedDisk) -> None:
        prepare(disk)
        disk.sync_directory("")

    assert contents(prepare) == {b"old", None}
    assert contents(prepare_synced) == {None}


def test_changes_of_independent_names_hold_in_any_order() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.put("a", b"")
        disk.rename("a", "b")
        disk.open("c", create=True)
        disk.remove("b")

    found = {frozenset(files) for files in crashes(prepare)}
    states = [["a"], ["b"], ["b", "c"], ["c"], ["a", "c"], []]
    assert found == {frozenset(state) for state in states}


def test_directory_that_is_lost_takes_its_files_along() -> None:
    def prepare(disk: SimulatedDisk) -> None:
        disk.make_directory("d/e")
        file = disk.open("d/e/f", create=True)
        file.write(0, [b"new"])
        file.sync()
        disk.sync_directory("d/e")

    assert contents(prepare, "d/e/f") == {None, b"new"}


def test_killed_process_loses_nothing_and_makes_nothing_safe() -> None:
    def prepare(disk: SimulatedDisk) -> SimulatedDisk:
        disk.put("f", b"old")
        disk.open("f").write(0, [b"new"])
        return disk.kill()

    assert prepare(SimulatedDisk()).files() == {"f": b"new"}
    assert prepare(SimulatedDisk()).unsynced() == ["f"]
    found = {prepare(SimulatedDisk()).crash(Random(seed)).files()["f"] for seed in SEEDS}
    assert found == {b"old", b"new"}


def test_nothing_can_be_done_once_the_power_is_off() -> None:
    disk = SimulatedDisk()
    file = disk.open("f", create=True)
    found = disk.crash(Random(0))
    for operation in (
        lambda: file.write(0, [b"x"]),
        file.sync,
        lambda: file.read(0, 1),
        lambda: disk.open("f"),
        lambda: disk.names(""),
        lambda: disk.remove("f"),
    ):
        with pytest.raises(PowerLoss):
            operation()
    assert set(found.files()) <= {"f"}


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("is_torn", [False, True])
def test_power_goes_at_the_operation_that_was_asked_for(number: int, is_torn: bool) -> None:
    disk = SimulatedDisk()
    disk.power_until, disk.is_torn = number, is_torn
    with pytest.raises(PowerLoss):
        write_one_file(disk)
    assert disk.operations == number


def write_one_file(disk: SimulatedDisk) -> None:
    """Seven operations."""
    disk.make_directory("d")
    file = disk.open("d/f", create=True)
    file.allocate(8)
    file.write(0, [b"12345678"])
    file.sync()
    disk.rename("d/f", "d/g")
    disk.sync_directory("d")


def test_interrupted_write_leaves_a_part() -> None:
    lengths: set[int] = set()
    for seed in SEEDS:
        disk = SimulatedDisk(Random(seed))
        disk.power_until, disk.is_torn = 2, True
        with pytest.raises(PowerLoss):
            disk.open("f", create=True).write(0, [b"123"])
        lengths.add(len(disk.kill().files()["f"]))
    assert lengths == {0, 1, 2, 3}


def test_full_disk_takes_what_fits_and_says_so() -> None:
    disk = SimulatedDisk()
    disk.capacity_bytes = 4
    file = disk.open("f", create=True)
    with pytest.raises(OSError, match="No space left") as raised:
        file.write(0, [b"123", b"456"])
    assert raised.value.errno == errno.ENOSPC
    assert disk.files() == {"f": b"1234"}
    file.write(0, [b"abcd"])
    with pytest.raises(OSError, match="No space left"):
        file.allocate(5)
    assert disk.files() == {"f": b"abcd"}


def test_fault_strikes_what_it_is_for_and_as_often_as_planned() -> None:
    disk = SimulatedDisk()
    disk.put("f", b"old")
    disk.put("g", b"old")
    disk.faults.append(Fault(errno.EIO, "sync", "read", path="f", skip=1, count=2))
    file, other = disk.open("f"), disk.open("g")
    file.sync()
    for operation in (file.sync, lambda: file.read(0, 1)):
        with pytest.raises(OSError, match="Input/output error"):
            operation()
    file.sync()
    other.sync()


def test_failed_sync_makes_later_ones_lie() -> None:
    found: set[bytes] = set()
    for seed in SEEDS:
        disk = SimulatedDisk(Random(seed))
        disk.put("f", b"old")
        disk.faults.append(Fault(errno.EIO, "sync"))
        file = disk.open("f")
        file.write(0, [b"new"])
        with pytest.raises(OSError, match="Input/output error"):
            file.sync()
        file.sync()
        assert file.read(0, 3) == b"new"
        found.add(disk.crash(Random(seed)).files()["f"])
    assert found == {b"old", b"new"}


def test_same_seed_finds_the_same() -> None:
    def found(seed: int) -> dict[str, bytes]:
        disk = SimulatedDisk(Random(seed))
        disk.put("f", bytes(10_000))
        for at in range(0, 8_000, 700):
            disk.open("f").write(at, [b"x" * 900])
        return disk.crash(Random(seed)).files()

    assert all(found(seed) == found(seed) for seed in range(20))
