//! The card side of vsmartcard's vpcd, the virtual reader of pcscd: each message is its length in two bytes and the data, in either direction;
//! a single byte is a control message; that a card is in the reader is that somebody is connected.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Table;
use crate::front::{Front, Session, atr};

const POWER_OFF: u8 = 0;
const POWER_ON: u8 = 1;
const RESET: u8 = 2;
const GET_ATR: u8 = 4;

/// How often a table is looked at while nothing comes from the service.
const LOOK: Duration = Duration::from_millis(10);

/// A table plugged into a slot of the virtual reader, for as long as this lives.
pub struct Plug {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Plug {
    /// Plugs a table into the slot at this port, as a reader of this kind. It waits for a service that is not there yet, or not any more.
    pub fn new(port: u16, front: Front, table: Table) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                table.wait(LOOK);
                if !table.holds() {
                    continue;
                }
                match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    Ok(stream) => {
                        // It ends when the table is empty, the service is gone, or the plug is pulled; all three show above.
                        let _over = serve(stream, front, &table, &stopped);
                        table.power_off();
                    }
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn serve(mut stream: TcpStream, front: Front, table: &Table, stopped: &AtomicBool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LOOK))?;
    let mut session = Session::default();
    let mut inbox = Vec::new();
    let mut buffer = [0; 1024];
    while table.holds() && !stopped.load(Ordering::SeqCst) {
        // The service sends the length alone and holds the data back until that is acknowledged, which else takes 40 ms each time. The system
        // forgets the wish again.
        rustix::net::sockopt::set_tcp_quickack(&stream, true)?;
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => inbox.extend(buffer.iter().take(len)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error),
        }
        while let Some(message) = message(&mut inbox) {
            let answer = match message.as_slice() {
                [POWER_OFF | POWER_ON | RESET] => {
                    session = Session::default();
                    table.power_off();
                    continue;
                }
                [GET_ATR] => match table.selected() {
                    Some(selected) => atr(&selected),
                    None => return Ok(()),
                },
                apdu => front.apdu(&mut session, apdu, table),
            };
            // In one segment: in two, each waits for the acknowledgement of the other.
            let len = u16::try_from(answer.len()).expect("answers are short");
            stream.write_all(&[&len.to_be_bytes()[..], &answer].concat())?;
        }
    }
    Ok(())
}

/// Takes a whole message from the bytes that came.
fn message(inbox: &mut Vec<u8>) -> Option<Vec<u8>> {
    let len = match inbox.as_slice() {
        [high, low, rest @ ..] => {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            (rest.len() >= len).then_some(len)?
        }
        _ => return None,
    };
    Some(inbox.drain(..2 + len).skip(2).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_whole_however_they_arrive() {
        let mut inbox = vec![0, 1, 4, 0, 2];
        assert_eq!(message(&mut inbox), Some(vec![4]));
        assert_eq!(message(&mut inbox), None);
        inbox.extend([0xFF, 0xCA]);
        assert_eq!(message(&mut inbox), Some(vec![0xFF, 0xCA]));
        assert_eq!(message(&mut inbox), None);
    }
}
