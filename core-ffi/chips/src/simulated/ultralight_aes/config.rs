//! The configuration pages, and what is open about them.

/// Pages of four bytes.
pub(super) const PAGES: u8 = 0x3C;
/// Lock bytes of pages 10h and above.
pub(super) const PAGE_LOCKS: u8 = 0x28;
/// `RID_ACT`, `SEC_MSG_ACT`, AUTH0.
pub(super) const PAGE_CFG0: u8 = 0x29;
/// PROT, `LOCK_USR_CFG`, counter rights, `AUTH_LIM`.
pub(super) const PAGE_CFG1: u8 = 0x2A;
/// Locks of the keys.
pub(super) const PAGE_LOCK_KEYS: u8 = 0x2D;
/// First page of the `DataProtKey`.
pub(super) const PAGE_KEY0: u8 = 0x30;
/// First page of the `UIDRetrKey`.
pub(super) const PAGE_KEY1: u8 = 0x34;

/// Invalid argument, or not allowed.
pub(super) const NAK_ARGUMENT: u8 = 0x0;
/// Counter overflow, or too many failed authentications (as the family's data sheets have it).
pub(super) const NAK_LIMIT: u8 = 0x4;

/// What the sources leave open or what differs between lots, to be tried both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quirks {
    /// Configuration acts when it is written, not at the next selection.
    pub config_acts_at_once: bool,
    /// A successful authentication clears the count of failed ones.
    pub success_clears_failures: bool,
    /// `LOCK_USR_CFG` holds as soon as it is written.
    pub config_locks_at_once: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            config_acts_at_once: false,
            success_clears_failures: true,
            config_locks_at_once: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Config {
    pub(super) cfg0: [u8; 4],
    pub(super) cfg1: [u8; 4],
}

impl Config {
    pub(super) fn random_id(self) -> bool {
        self.cfg0[0] & 0x01 != 0
    }
    pub(super) fn secure_messaging(self) -> bool {
        self.cfg0[0] & 0x02 != 0
    }
    pub(super) fn auth0(self) -> u8 {
        self.cfg0[3]
    }
    pub(super) fn protects_reading(self) -> bool {
        self.cfg1[0] & 0x80 != 0
    }
    pub(super) fn locked(self) -> bool {
        self.cfg1[0] & 0x40 != 0
    }
    pub(super) fn counter_increment_free(self) -> bool {
        self.cfg1[0] & 0x08 != 0
    }
    pub(super) fn counter_read_free(self) -> bool {
        self.cfg1[0] & 0x04 != 0
    }
    pub(super) fn auth_limit(self) -> u16 {
        u16::from_le_bytes([self.cfg1[2], self.cfg1[3]]) & 0x03FF
    }
}
