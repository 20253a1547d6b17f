//! How long a frame takes on the air, as a model: nobody sleeps for it.

/// Times of ISO/IEC 14443-3 at 106 kbit/s and of the chip's own work, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AirModel {
    /// One write of the memory. 4,100 is the upper figure of the family's data sheets, 1,400 what was measured on user pages of real chips.
    pub eeprom_us: u64,
    /// The guard times, start and end of the two frames of an exchange, and a MAC in the chip.
    pub exchange_us: u64,
    /// One step of an authentication in the chip, beyond [`AirModel::exchange_us`].
    pub authenticate_us: u64,
}

/// Eight bits and a parity bit at 13.56 MHz / 128, in nanoseconds.
const BYTE_NS: u64 = 84_956;

/// Bytes of a CRC in either direction.
const CRC_BYTES: u64 = 2;

impl AirModel {
    /// By the data sheet.
    pub const CAUTIOUS: Self = Self {
        eeprom_us: 4_100,
        exchange_us: 690,
        authenticate_us: 3_850,
    };

    /// By what was measured on silicon.
    pub const MEASURED: Self = Self {
        eeprom_us: 1_400,
        ..Self::CAUTIOUS
    };

    /// One exchange of so many bytes with so many writes.
    pub(crate) fn exchange(&self, frame: &[u8], answered: usize, writes: u32) -> u64 {
        let bytes = frame.len() as u64 + answered as u64 + 2 * CRC_BYTES;
        let authenticates = matches!((frame.first(), frame.len()), (Some(0x1A), 2) | (Some(0xAF), 33));
        bytes * BYTE_NS / 1_000
            + self.exchange_us
            + u64::from(writes) * self.eeprom_us
            + if authenticates { self.authenticate_us } else { 0 }
    }
}
