//! What can happen, and when: one list of due events, earliest first, those of one millisecond in the order in which they were planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use shared_protocol::SlotId;
use terminal::{PinJob, SignJob, Ticket};

use crate::faults::Kind;

/// A device: a phone with a till on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeviceNo(pub usize);

/// A connection between a device and whoever answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnNo(pub u64);

/// What can happen. `boot` and `life` name the process that it is for: what was meant for a dead one comes to nothing.
#[derive(Debug, Clone, Hash)]
pub(crate) enum Event {
    /// A till's timer.
    Wake { device: DeviceNo, boot: u32, no: u64 },
    /// A till's disk has done a transaction, or has not.
    Written {
        device: DeviceNo,
        boot: u32,
        ticket: Ticket,
    },
    /// A till's key has signed.
    Signed {
        device: DeviceNo,
        boot: u32,
        job: SignJob,
        message: Vec<u8>,
    },
    /// A device has compared a PIN with its hash.
    PinVerified {
        device: DeviceNo,
        boot: u32,
        job: PinJob,
        ok: bool,
    },
    /// A till's queue was read.
    Fetched {
        device: DeviceNo,
        boot: u32,
        epoch: u32,
        from_seq: u64,
        entries_max: u32,
    },
    /// A device has worked on the purse of a wristband.
    Purse { device: DeviceNo, boot: u32 },
    /// A device is switched on.
    PowerOn { device: DeviceNo },
    /// A device is switched off after its till said goodbye.
    PowerOff { device: DeviceNo },
    /// A device dies in the middle of a write.
    Cut { device: DeviceNo, boot: u32, power: bool },
    /// A connection reaches the other side.
    Opened { conn: ConnNo },
    /// The device learns that its connection stands.
    Connected { conn: ConnNo },
    /// A frame reaches the server.
    ToServer { conn: ConnNo, frame: Vec<u8> },
    /// A frame reaches the device.
    ToTill { conn: ConnNo, frame: Vec<u8> },
    /// The server learns that a connection is gone.
    ServerHearsEnd { conn: ConnNo },
    /// The device learns that a connection is gone.
    TillHearsEnd { conn: ConnNo },
    /// A device's network is there again.
    Online { device: DeviceNo },
    /// A direction of a device's network works again.
    Audible { device: DeviceNo },
    /// The server commits what is queued.
    Commit { life: u32 },
    /// The answers to what was committed leave the server.
    Replies { life: u32 },
    /// The signer looks at the journal.
    Sign { life: u32 },
    /// The event closes.
    Closing,
    /// A TSE answers again.
    TseMended,
    /// A session's timer.
    SessionTick { conn: ConnNo },
    /// A connection that said nothing is closed.
    GreetingOver { conn: ConnNo },
    /// Balances go out.
    Balances { life: u32 },
    /// The server's process starts.
    ServerStart,
    /// The server's disk is as fast as before.
    ServerFast,
    /// A person compares the code of a slot.
    Confirm { slot: SlotId, tries: u32 },
    /// A backup of the server and of all devices is made.
    Backup,
    /// The next guest goes to a till.
    Arrival,
    /// The people at a till do the next thing.
    Person { device: DeviceNo, service: u64 },
    /// Somebody looks after a device: a code to scan, a login.
    Attend { device: DeviceNo, boot: u32 },
    /// Doors open or close.
    Doors { open: bool },
    /// A fault strikes.
    Fault(Kind),
    /// A device's disk or key works again.
    Repaired { device: DeviceNo },
    /// Somebody brings a stick with the second copy of a journal to the office.
    Stick { stick: usize },
    /// Two people hold phones together, one of which has a copy for the other.
    Handover { handover: usize },
    /// A till that was locked is freed, or a wristband.
    Pardon,
    /// All faults end.
    Heal,
    /// The run ends.
    End,
}

struct Due {
    at_ms: u64,
    tie: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    /// The earliest is the greatest, since the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.tie).cmp(&(self.at_ms, self.tie))
    }
}

/// The due events.
#[derive(Default)]
pub(crate) struct Agenda {
    heap: BinaryHeap<Due>,
    next_tie: u64,
}

impl Agenda {
    pub fn put(&mut self, at_ms: u64, event: Event) {
        self.heap.push(Due {
            at_ms,
            tie: self.next_tie,
            event,
        });
        self.next_tie += 1;
    }

    pub fn take(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|due| (due.at_ms, due.event))
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_those_of_one_moment_in_their_order() {
        let mut agenda = Agenda::default();
        let wake = |no| Event::Wake {
            device: DeviceNo(0),
            boot: 0,
            no,
        };
        for (at_ms, no) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            agenda.put(at_ms, wake(no));
        }
        let order: Vec<u64> = std::iter::from_fn(|| agenda.take())
            .map(|(_, event)| match event {
                Event::Wake { no, .. } => no,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }
}
