//! Every limit of the wire, named and in one place. Units last in the name.

/// The largest frame a terminal may send (decision of the protocol; an order is about 400 bytes, a full push about 26 kB).
pub const FRAME_FROM_TERMINAL_MAX_BYTES: usize = 64 * 1024;

/// The largest frame the server sends (a chunk of a snapshot with its envelope).
pub const FRAME_FROM_SERVER_MAX_BYTES: usize = 256 * 1024;

/// How deep arrays and maps may be nested. The deepest message of version 1 has depth 7.
pub const DEPTH_MAX: usize = 16;

/// Journal entries in one push.
pub const PUSH_ENTRIES_MAX: usize = 64;

/// Entries a terminal may have on the way without an acknowledgement, at the start of a connection.
pub const WINDOW_ENTRIES: u32 = 256;

/// Lines of one order. A family's evening at one food stall has 20; what has more is split by the till.
pub const ORDER_LINES_MAX: usize = 100;

/// Tenders of one order.
pub const ORDER_TENDERS_MAX: usize = 8;

/// Pieces of one article in one line.
pub const LINE_QUANTITY_MAX: i32 = 10_000;

/// Entries of a journal that may be ahead of the last signed head, and for how long.
pub const UNSIGNED_ENTRIES_MAX: u32 = 20;
/// See [`UNSIGNED_ENTRIES_MAX`].
pub const UNSIGNED_MAX_MS: u64 = 2_000;

/// How long a till waits for an authorisation before it decides by the offline limits, unless the event says otherwise.
pub const AUTHORISE_TIMEOUT_MS: u64 = 250;

/// How often the server asks "still there?".
pub const PING_INTERVAL_MS: u64 = 15_000;

/// Without a frame for this long either side takes the connection for dead.
pub const PEER_DEAD_MS: u64 = 45_000;

/// Reconnecting: full jitter between these.
pub const RECONNECT_MIN_MS: u64 = 500;
/// See [`RECONNECT_MIN_MS`].
pub const RECONNECT_MAX_MS: u64 = 30_000;

/// Bytes of one snapshot chunk.
pub const SNAPSHOT_CHUNK_BYTES: usize = 128 * 1024;

/// Bytes a whole snapshot may have on a terminal.
pub const SNAPSHOT_MAX_BYTES: usize = 16 * 1024 * 1024;

/// How long a registration secret is good unless the slot says otherwise.
pub const REGISTRATION_LIFETIME_MS: u64 = 24 * 60 * 60 * 1_000;

/// The longest name or note in a wire message.
pub const TEXT_MAX_BYTES: usize = 1_024;

/// The longest address of a receipt with its slip: a QR code of version 25 (117 modules a side) at level L holds 1,273 bytes (ISO/IEC 18004, table 7),
/// and on a phone 360 dp wide with 1.5 pixels a dp, the coarsest that is sold, each module still has three whole pixels.
pub const RECEIPT_ADDRESS_MAX_BYTES: usize = 1_273;

/// The longest slip: what is left of [`RECEIPT_ADDRESS_MAX_BYTES`] beside the shortest address. An order of some 35 lines.
pub const SLIP_TEXT_MAX_BYTES: usize = 1_200;
