//! Recordings: files that anybody may hand to `rollcall plan`.

use rollcall_engine::fleet::Fleet;
use rollcall_engine::recording::Recording;
use rollcall_engine::rollcall;

/// What was read and is written again reads the same, as JSON and gzipped; and a part of a recording is none.
pub(crate) fn recording(data: &[u8]) {
    match Recording::from_slice(data) {
        Ok(recording) => {
            let again = Recording::from_slice(&recording.to_vec());
            assert_eq!(again.ok().as_ref(), Some(&recording), "written as JSON");
            let again = Recording::from_slice(&recording.to_gzip());
            assert_eq!(again.ok().as_ref(), Some(&recording), "gzipped");
            assert!(Recording::from_slice(crate::laws::cut(data)).is_err(), "a part is whole");
        }
        Err(why) => assert!(why.to_string().len() <= 1_024 + data.len(), "{why}"),
    }
}

/// The roll can be called on any recording, says the same each time, and a world that stands still changes no memory.
pub(crate) fn roll_call(data: &[u8]) {
    let Ok(recording) = Recording::from_slice(data) else { return };
    let Recording { now, desired, snapshot, memory, .. } = &recording;
    let (fleet, _) = Fleet::parse(desired);
    let called = rollcall::roll_call(&fleet, snapshot, memory, *now);
    assert_eq!(called, rollcall::roll_call(&fleet, snapshot, memory, *now));
    let (_, after) = called;
    let (_, later) = rollcall::roll_call(&fleet, snapshot, &after, *now);
    assert_eq!(after, later, "memory changes though the world stands still");
}
