"""One journal file: made ready, written, synced, and written elsewhere when it cannot be synced."""

import errno

import pytest
from tests.storage.simulated_disk import Fault, SimulatedDisk
from tests.storage.small_node import Pessimist

from supersoniq.storage.journal_file import JOURNAL, MOVING, JournalFile

SIZE = 8_192


@pytest.fixture
def disk() -> SimulatedDisk:
    disk = SimulatedDisk()
    disk.make_directory(JOURNAL)
    disk.sync_directory("")
    return disk


def after_power_loss(disk: SimulatedDisk) -> dict[str, bytes]:
    return disk.copy().crash(Pessimist()).files()


def ready(disk: SimulatedDisk, number: int = 7) -> JournalFile:
    file = JournalFile(number)
    assert file.prepare(disk, SIZE, "")
    return file


def test_name_is_the_number_so_that_names_are_in_order() -> None:
    names = [JournalFile(number).name for number in (1, 9, 10, 123_456, 4_000_000_000)]
    assert names == sorted(names)
    assert names[0] == "journal/0000000001"


def test_file_that_is_ready_has_its_space_and_its_name_is_safe(disk: SimulatedDisk) -> None:
    file = ready(disk)
    assert len(disk.files()[file.name]) == SIZE
    assert file.name in after_power_loss(disk)
    assert file.parts == [file.name]


def test_file_is_made_ready_once(disk: SimulatedDisk) -> None:
    file = ready(disk)
    disk.put("journal/spare", b"other")
    assert not file.prepare(disk, SIZE, "journal/spare")
    assert "journal/spare" in disk.files()


def test_file_that_was_written_and_closed_before_it_was_to_be_made_ready_is_left_alone(
    disk: SimulatedDisk,
) -> None:
    """The background may be slower than the commit thread that fills the file."""
    file = JournalFile(7)
    file.write(disk, [b"written"], True)
    file.sync(disk)
    file.close()
    disk.put("journal/spare", b"other")
    assert not file.prepare(disk, SIZE, "journal/spare")
    assert disk.files() == {file.name: b"written", "journal/spare": b"other"}


def test_file_can_be_made_of_one_that_is_not_used_any_more(disk: SimulatedDisk) -> None:
    disk.put("journal/spare", b"old" * 1_000)
    file = JournalFile(8)
    assert file.prepare(disk, SIZE, "journal/spare")
    assert after_power_loss(disk) == {file.name: b"old" * 1_000}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL])
def test_file_that_got_no_space_in_advance_is_ready_and_its_name_is_safe(
    disk: SimulatedDisk, number: int
) -> None:
    disk.faults.append(Fault(number, "allocate"))
    file = ready(disk)
    file.write(disk, [b"abc"], True)
    file.sync(disk)
    assert after_power_loss(disk) == {file.name: b"abc"}


@pytest.mark.parametrize("kind", ["create", "allocate", "sync directory"])
def test_file_that_could_not_be_made_ready_is_made_ready_the_next_time(
    disk: SimulatedDisk, kind: str
) -> None:
    disk.faults.append(Fault(errno.EIO, kind))
    file = JournalFile(7)
    with pytest.raises(OSError, match="Input/output"):
        file.prepare(disk, SIZE, "")
    file.write(disk, [b"abc"], True)
    file.sync(disk)
    assert after_power_loss(disk)[file.name][:3] == b"abc"


def test_directory_that_cannot_be_synced_for_want_of_space_is_an_error(disk: SimulatedDisk) -> None:
    disk.faults.append(Fault(errno.ENOSPC, "sync directory"))
    with pytest.raises(OSError, match="No space"):
        JournalFile(7).prepare(disk, SIZE, "")


def test_what_is_written_stands_one_after_the_other(disk: SimulatedDisk) -> None:
    file = ready(disk)
    file.write(disk, [b"ab", b"c"], True)
    file.write(disk, [b"de"], True)
    assert disk.files()[file.name][:6] == b"abcde\0"
    assert not file.is_synced
    file.sync(disk)
    assert file.is_synced
    assert after_power_loss(disk)[file.name][:6] == b"abcde\0"


def test_what_could_not_be_written_is_written_over_the_next_time(disk: SimulatedDisk) -> None:
    file = ready(disk)
    file.write(disk, [b"ab"], True)
    disk.faults.append(Fault(errno.ENOSPC, "write"))
    with pytest.raises(OSError, match="No space"):
        file.write(disk, [b"cdefgh"], True)
    file.write(disk, [b"cd"], True)
    file.sync(disk)
    assert after_power_loss(disk)[file.name][:4] == b"abcd"


def test_what_need_not_be_kept_is_forgotten_at_once(disk: SimulatedDisk) -> None:
    file = ready(disk)
    file.write(disk, [b"ab"], False)
    assert file.is_synced


def test_failed_sync_is_not_tried_again_but_all_that_was_not_safe_is_written_elsewhere(
    disk: SimulatedDisk, caplog: pytest.LogCaptureFixture
) -> None:
    file = ready(disk)
    file.write(disk, [b"safe"], True)
    file.sync(disk)
    file.write(disk, [b"un"], True)
    file.write(disk, [b"safe"], True)
    disk.faults.append(Fault(errno.EIO, "sync", path=file.name))
    disk.log = []
    file.sync(disk)
    assert file.parts == [file.name, file.name + ".1"]
    assert [line.split(" ", 1)[1] for line in disk.log] == [
        f"sync {file.name}",
        f"create {MOVING}",
        f"truncate {MOVING}",
        f"write {MOVING}",
        f"sync {MOVING}",
        f"rename {MOVING} {file.name}.1",
        "sync directory journal",
    ]
    assert after_power_loss(disk)[file.name + ".1"] == b"unsafe"
    assert caplog.messages[0].startswith("journal/0000000007 cannot be synced (Input/output error)")


def test_it_goes_on_in_the_new_part_and_from_there_in_another_one(disk: SimulatedDisk) -> None:
    file = ready(disk)
    disk.faults.append(Fault(errno.EIO, "sync", path=file.name, count=1))
    file.write(disk, [b"one"], True)
    file.sync(disk)
    file.write(disk, [b"two"], True)
    file.sync(disk)
    assert after_power_loss(disk)[file.name + ".1"] == b"onetwo"
    disk.faults.append(Fault(errno.EIO, "sync", path=MOVING))
    file.write(disk, [b"three"], True)
    file.sync(disk)
    assert after_power_loss(disk)[file.name + ".2"] == b"three"
    assert file.parts == [file.name, file.name + ".1", file.name + ".2"]


@pytest.mark.parametrize("kind", ["create", "truncate", "write", "sync", "sync directory"])
def test_writing_elsewhere_that_fails_is_tried_again_without_a_sync_of_the_broken_part(
    disk: SimulatedDisk, kind: str
) -> None:
    file = ready(disk)
    file.write(disk, [b"abc"], True)
    disk.faults.append(Fault(errno.EIO, "sync", path=file.name))
    path = "journal" if kind == "sync directory" else MOVING
    disk.faults.append(Fault(errno.ENOSPC, kind, path=path))
    with pytest.raises(OSError, match="No space"):
        file.sync(disk)
    assert not file.is_synced
    disk.log = []
    file.sync(disk)
    assert not [line for line in disk.log if line.endswith(f"sync {file.name}")]
    assert after_power_loss(disk)[file.name + ".1"] == b"abc"
    assert file.parts == [file.name, file.name + ".1"]


def test_part_that_cannot_be_synced_gets_nothing_more(disk: SimulatedDisk) -> None:
    file = ready(disk)
    file.write(disk, [b"abc"], True)
    disk.faults.append(Fault(errno.EIO, "sync", count=2))
    with pytest.raises(OSError, match="Input/output"):
        file.sync(disk)
    file.write(disk, [b"def"], True)
    assert disk.files()[file.name][:4] == b"abc\0"
    file.sync(disk)
    assert after_power_loss(disk)[file.name + ".1"] == b"abcdef"


def test_file_that_was_to_be_used_again_and_is_gone_is_not_missed(disk: SimulatedDisk) -> None:
    file = JournalFile(8)
    assert file.prepare(disk, SIZE, "journal/spare")
    assert len(disk.files()[file.name]) == SIZE


def test_file_is_closed_once(disk: SimulatedDisk) -> None:
    file = ready(disk)
    file.close()
    file.close()
    JournalFile(9).close()
