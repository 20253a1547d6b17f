//! The network between devices and server: connections as TCP gives them (in order, whole, or gone), and what a hostile one makes of them.

use std::collections::BTreeMap;

use shared_protocol::limits::{FRAME_FROM_SERVER_MAX_BYTES, FRAME_FROM_TERMINAL_MAX_BYTES};
use shared_protocol::message::Message;
use terminal::LinkId;

use crate::events::{ConnNo, DeviceNo, Event};
use crate::faults::Kind;
use crate::rogue::Rogue;
use crate::world::World;

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// What is sent never arrives, and nobody is told.
    Silent,
    Closed,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Conn {
    pub device: DeviceNo,
    pub boot: u32,
    pub link: LinkId,
    /// When the till tried to open it.
    pub tried_at_ms: u64,
    up: Way,
    down: Way,
    up_at_ms: u64,
    down_at_ms: u64,
    /// Whether the device still holds its end.
    held: bool,
    pub rogue: Option<Box<Rogue>>,
}

/// A device's own network.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach {
    pub offline: bool,
    pub deaf: bool,
    pub mute: bool,
    pub rogue_until_ms: u64,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub conns: BTreeMap<ConnNo, Conn>,
    pub next: u64,
    /// Milliseconds that a short way takes.
    pub scale: u64,
}

/// Whether a damaged frame of the server would be taken at its word. Streams are signed by themselves; for all else a till trusts TLS, which ends a
/// connection whose bytes were touched.
fn is_believed(frame: &[u8]) -> bool {
    let streams = matches!(frame.get(..4), Some([0xa3, 0, 0x18, 71..=74]));
    !streams && Message::read(frame, FRAME_FROM_SERVER_MAX_BYTES).is_ok()
}

/// A way through the network takes so many times the scale: log-normal in thirty-two steps.
const TIMES: [u64; 32] = [
    1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 6, 6, 7, 8, 9, 11, 13, 16, 22, 35, 80,
];

impl Network {
    /// The connection a device uses.
    pub fn of(&self, device: DeviceNo, link: LinkId, boot: u32) -> Option<ConnNo> {
        let found = self
            .conns
            .iter()
            .rev()
            .find(|(_, conn)| conn.device == device && conn.link == link && conn.boot == boot && conn.held);
        found.map(|(no, _)| *no)
    }
}

impl World {
    fn delay(&mut self) -> u64 {
        let times = self.net_random.pick(&TIMES).unwrap_or(1);
        let tail = if self.plan.strikes(Kind::Slow, 4_000) {
            self.plan.random(Kind::Slow).between(500, 12_000)
        } else {
            0
        };
        1 + self.network.scale * times + tail
    }

    /// A till opens a connection.
    pub(crate) fn connect(&mut self, device: DeviceNo, boot: u32, link: LinkId) {
        self.observer.pace.tried_to_connect(device, self.now_ms);
        let no = ConnNo(self.network.next);
        self.network.next += 1;
        let delay = self.delay();
        let Some(reach) = self.devices.get(device.0).map(|device| device.reach) else {
            return;
        };
        let rogue = (reach.rogue_until_ms > self.now_ms).then(|| {
            let random = crate::random::Random::of(self.seed, 1_000_000 + no.0);
            Box::new(Rogue::new(random))
        });
        let conn = Conn {
            device,
            boot,
            link,
            tried_at_ms: self.now_ms,
            up: Way::Open,
            down: Way::Open,
            up_at_ms: 0,
            down_at_ms: 0,
            held: true,
            rogue,
        };
        self.network.conns.insert(no, conn);
        if reach.offline {
            // Half of the networks say so, the others are a black hole until the till gives up.
            if self.net_random.percent(50) {
                self.put(delay, Event::TillHearsEnd { conn: no });
            }
            self.silence(no, true, true);
        } else if self.network.conns.get(&no).is_some_and(|conn| conn.rogue.is_some()) {
            self.sometimes.reach("rogue_met");
            // The certificate is another one. Some connections get through all the same, as if TLS were broken.
            if self.net_random.percent(60) {
                self.sometimes.reach("rogue_refused_by_tls");
                self.put(delay, Event::TillHearsEnd { conn: no });
            } else {
                self.put(delay, Event::Connected { conn: no });
            }
        } else {
            self.put(delay, Event::Opened { conn: no });
        }
    }

    /// A connection reaches the server's machine.
    pub(crate) fn opened(&mut self, no: ConnNo) {
        let delay = self.delay();
        if !self.arrives_up(no) {
            return;
        }
        if self.server.is_up() {
            let at_ms = self.now_ms + delay;
            if let Some(conn) = self.network.conns.get_mut(&no) {
                conn.down_at_ms = at_ms;
            }
            self.put(delay, Event::Connected { conn: no });
            self.session_begins(no);
        } else {
            self.put(delay, Event::TillHearsEnd { conn: no });
        }
    }

    fn silence(&mut self, no: ConnNo, up: bool, down: bool) {
        if let Some(conn) = self.network.conns.get_mut(&no) {
            if up && conn.up == Way::Open {
                conn.up = Way::Silent;
            }
            if down && conn.down == Way::Open {
                conn.down = Way::Silent;
            }
        }
    }

    /// A till sends a frame.
    pub(crate) fn send_up(&mut self, no: ConnNo, frame: Vec<u8>) {
        let (delay, now_ms) = (self.delay(), self.now_ms);
        let Some(conn) = self.network.conns.get_mut(&no) else {
            return;
        };
        let mute = self
            .devices
            .get(conn.device.0)
            .is_none_or(|device| device.reach.offline || device.reach.mute);
        if mute && conn.up == Way::Open {
            conn.up = Way::Silent;
        }
        if conn.up != Way::Open {
            return;
        }
        if let Some(rogue) = &mut conn.rogue {
            let answers = rogue.answer(&frame, now_ms);
            // Whoever breaks TLS can acknowledge what nobody has; the limits then count from there.
            self.observer.deceived(conn.device);
            for frame in answers {
                self.send_down(no, frame);
            }
            return;
        }
        conn.up_at_ms = conn.up_at_ms.max(now_ms + delay);
        let at_ms = conn.up_at_ms;
        for frame in self.mangle(frame, FRAME_FROM_TERMINAL_MAX_BYTES, false) {
            self.agenda.put(at_ms, Event::ToServer { conn: no, frame });
        }
    }

    /// The server sends a frame.
    pub(crate) fn send_down(&mut self, no: ConnNo, frame: Vec<u8>) {
        let (delay, now_ms) = (self.delay(), self.now_ms);
        let Some(conn) = self.network.conns.get_mut(&no) else {
            return;
        };
        let deaf = self
            .devices
            .get(conn.device.0)
            .is_none_or(|device| device.reach.offline || device.reach.deaf);
        if deaf && conn.down == Way::Open {
            conn.down = Way::Silent;
        }
        if conn.down != Way::Open {
            return;
        }
        conn.down_at_ms = conn.down_at_ms.max(now_ms + delay);
        let at_ms = conn.down_at_ms;
        let frames = self.mangle(frame, FRAME_FROM_SERVER_MAX_BYTES, true);
        if frames.is_empty() {
            return self.breaks(no, false);
        }
        for frame in frames {
            self.agenda.put(at_ms, Event::ToTill { conn: no, frame });
        }
    }

    /// What becomes of a frame on its way.
    fn mangle(&mut self, mut frame: Vec<u8>, max_bytes: usize, down: bool) -> Vec<Vec<u8>> {
        if self.plan.strikes(Kind::BitFlip, 200) {
            self.count(Kind::BitFlip);
            let random = self.plan.random(Kind::BitFlip);
            let (place, bit) = (random.index(frame.len()), random.below(8));
            if let Some(byte) = frame.get_mut(place) {
                *byte ^= 1 << bit;
            }
            if down && is_believed(&frame) {
                return Vec::new();
            }
        }
        if self.plan.strikes(Kind::Truncate, 200) {
            self.count(Kind::Truncate);
            let length = self.plan.random(Kind::Truncate).index(frame.len());
            frame.truncate(length);
        }
        if self.plan.strikes(Kind::Garbage, 150) {
            self.count(Kind::Garbage);
            let random = self.plan.random(Kind::Garbage);
            let length = random.index(600);
            frame = (0..length).map(|_| random.bits().to_be_bytes()[0]).collect();
        }
        if self.plan.strikes(Kind::Oversize, 100) {
            self.count(Kind::Oversize);
            frame.resize(max_bytes + 1, 0);
        }
        if self.plan.strikes(Kind::Duplicate, 1_000) {
            self.count(Kind::Duplicate);
            return vec![frame.clone(), frame];
        }
        vec![frame]
    }

    /// Whether a frame that arrives now still has somebody to take it.
    pub(crate) fn arrives_up(&self, no: ConnNo) -> bool {
        self.network.conns.get(&no).is_some_and(|conn| conn.up == Way::Open)
    }

    /// The same in the other direction. A device that closed its end may still be handed what was on its way.
    pub(crate) fn arrives_down(&mut self, no: ConnNo) -> Option<(DeviceNo, u32, LinkId)> {
        let conn = self.network.conns.get(&no).filter(|conn| conn.down == Way::Open)?;
        let place = (conn.device, conn.boot, conn.link);
        if conn.held {
            return Some(place);
        }
        if self.plan.strikes(Kind::Late, 200_000) {
            self.count(Kind::Late);
            return Some(place);
        }
        None
    }

    /// A till closes its connection.
    pub(crate) fn till_closes(&mut self, no: ConnNo) {
        let (delay, now_ms) = (self.delay(), self.now_ms);
        // What was sent before still arrives; only then does the server hear of the end.
        let lingers = self.plan.strikes(Kind::HalfOpen, 50_000);
        let Some(conn) = self.network.conns.get_mut(&no) else {
            return;
        };
        conn.held = false;
        if conn.rogue.is_some() {
            // The server never heard of it, so it will not miss it either.
            conn.up = Way::Closed;
        } else if conn.up == Way::Open && !lingers {
            let at_ms = conn.up_at_ms.max(now_ms + delay);
            self.agenda.put(at_ms, Event::ServerHearsEnd { conn: no });
        }
        self.forget_if_over(no);
    }

    /// The server closes a connection, after what it has sent.
    pub(crate) fn server_closes(&mut self, no: ConnNo) {
        let (delay, now_ms) = (self.delay(), self.now_ms);
        let Some(conn) = self.network.conns.get_mut(&no) else {
            return;
        };
        conn.up = Way::Closed;
        if conn.down == Way::Open {
            let at_ms = conn.down_at_ms.max(now_ms + delay);
            self.agenda.put(at_ms, Event::TillHearsEnd { conn: no });
        } else {
            self.forget_if_over(no);
        }
    }

    /// The device learns that its connection is gone.
    pub(crate) fn till_hears_end(&mut self, no: ConnNo) -> Option<(DeviceNo, u32, LinkId)> {
        let served = self.server.has_session(no);
        let conn = self.network.conns.get_mut(&no)?;
        conn.down = Way::Closed;
        if !served {
            // Nobody took it, so nobody hears of its end.
            conn.up = Way::Closed;
        }
        let place = (conn.device, conn.boot, conn.link);
        let held = std::mem::take(&mut conn.held);
        self.forget_if_over(no);
        held.then_some(place)
    }

    /// The server learns that a connection is gone.
    pub(crate) fn server_hears_end(&mut self, no: ConnNo) {
        if let Some(conn) = self.network.conns.get_mut(&no) {
            conn.up = Way::Closed;
        }
        self.session_ends(no);
        self.forget_if_over(no);
    }

    fn forget_if_over(&mut self, no: ConnNo) {
        let over = |conn: &Conn| !conn.held && conn.up != Way::Open;
        if self.network.conns.get(&no).is_some_and(over) && !self.server.has_session(no) {
            self.network.conns.remove(&no);
        }
    }

    /// Connections of a device, newest last.
    pub(crate) fn conns_of(&self, device: DeviceNo) -> Vec<ConnNo> {
        self.network
            .conns
            .iter()
            .filter(|(_, conn)| conn.device == device && conn.held)
            .map(|(no, _)| *no)
            .collect()
    }

    /// A connection is reset: both sides hear of it, or they do not.
    pub(crate) fn breaks(&mut self, no: ConnNo, silently: bool) {
        let (up, down) = (self.delay(), self.delay());
        self.silence(no, true, true);
        if !silently {
            self.put(up, Event::ServerHearsEnd { conn: no });
            self.put(down, Event::TillHearsEnd { conn: no });
        }
    }

    /// The device's process or power is gone. A machine that lives says goodbye for a process that died; one without power does not.
    pub(crate) fn device_falls_silent(&mut self, device: DeviceNo, silently: bool) {
        for no in self.conns_of(device) {
            if let Some(conn) = self.network.conns.get_mut(&no) {
                conn.held = false;
                conn.down = Way::Silent;
            }
            if silently {
                self.silence(no, true, false);
            } else {
                self.till_closes(no);
            }
        }
    }

    /// A device loses its network.
    pub(crate) fn goes_offline(&mut self, device: DeviceNo, for_ms: u64) {
        if let Some(found) = self.devices.get_mut(device.0) {
            found.reach.offline = true;
            found.offline_until_ms = found.offline_until_ms.max(self.now_ms + for_ms);
        }
        let silently = self.net_random.percent(50);
        for no in self.conns_of(device) {
            self.breaks(no, silently);
        }
        self.put(for_ms, Event::Online { device });
    }

    /// All of the server's connections end with its process.
    pub(crate) fn server_falls_silent(&mut self) {
        let all: Vec<ConnNo> = self
            .network
            .conns
            .iter()
            .filter(|(_, conn)| conn.rogue.is_none())
            .map(|(no, _)| *no)
            .collect();
        for no in all {
            self.server_closes(no);
        }
    }
}
