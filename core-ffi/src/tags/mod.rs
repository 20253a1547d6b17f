//! Making wristbands and looking at them, in a trusted place: what `groschen tags` and a desk's encoder page both do.
//!
//! | file | what it does |
//! |---|---|
//! | `derive` | all that one wristband gets, from the masters of its batch |
//! | `work` | the folder of a batch that is being made: who has which place, what is good, the list for the server |
//! | `station` | one wristband after another, each good, named as rejected, or to be held again |
//! | `audit` | what is missing on a wristband of what every one must have |
//! | `inspect` | all that can be found out about any wristband |
//! | `gates` | what a real chip must be seen to do before an event relies on it |
//! | `drawer` | virtual wristbands in a folder, for trying out; each says that it is simulated |
//!
//! What must never happen here: a wristband counted as good that was not selected anew and read back through its channel; a place in a batch that
//! two wristbands have; a master or a key in a file that is not sealed.

pub mod audit;
pub mod derive;
pub mod drawer;
pub mod gates;
pub mod inspect;
pub mod station;
pub mod work;

pub use audit::{Failing, audit};
pub use derive::Derived;
pub use drawer::{Drawer, SimulatedFault};
pub use gates::{Gate, gates};
pub use inspect::{Inspection, Opened, inspect};
pub use station::{Station, Verdict};
pub use work::{Made, ReadList, Work, WorkFault, number_of};

use shared_protocol::purse::Block;

use crate::keys::{KeyError, random};

/// Fresh randomness for so many authentications.
fn fresh<const N: usize>() -> Result<[Block; N], KeyError> {
    let mut blocks = [[0; 16]; N];
    for block in &mut blocks {
        *block = random()?;
    }
    Ok(blocks)
}
