//! Command line of Groschen.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use groschen::{
    Exit, archive, audit, demo, desk, doctor, export, import, keep, migrate, procedures, receipt, report, secret,
    serve, simulate, tags, user, verify,
};

/// Cashless payment for festivals that keeps selling when the network does not.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  groschen demo                              a small festival alive in this terminal
  groschen user add lena --role admin --data festival    who may log in to the console
  groschen serve --data festival --sample    a server with the sample festival's catalogue
  groschen desk --code GROSCHEN:1:A56...    a till in the browser, registered with a code from the server
  groschen desk --mirror /media/stick        the same, with a second copy of its journal on a stick
  groschen import /media/stick --data festival   what a dead till booked; --yes books what is new
  groschen tags inspect --keys sale.keys --key-file sale.secret   what a wristband is and what is on it
  groschen simulate --terminals 24 --orders 20000 --outage 10 --kill-tills 3 --kill-server
  groschen audit --data festival --json      check every row, hash and balance
  groschen receipt --all --data festival     every order with its signature
  groschen report z --data festival --day 20270717    closings of a day; --form pdf, csv, xlsx
  groschen export tse --data festival --out audit    the log of the TSE in software, as the standard's archive
  groschen archive make --data festival --out archive    everything that has to be kept; `archive verify` checks it
  groschen verify tse audit/*.tar --complete  judge exports of TSEs, of any maker

Exit codes: 0 done, 1 something is not in order, 2 wrong arguments or settings, 3 failed on the way.";

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Arguments),
    /// Show a sample festival alive: server and tills in time-lapse over real websockets.
    Demo(demo::Arguments),
    /// Be a till: a page on this machine, with virtual wristbands where there is no reader.
    Desk(desk::Arguments),
    /// Keep second copies of desks' journals for neighbours on the LAN.
    Keep(keep::Arguments),
    /// Bring the second copy of a dead till's journal into the books. The server must not run; while it runs, its console does this.
    Import(import::Arguments),
    /// Drive real terminal cores against a server and judge the result by the ledger.
    Simulate(simulate::Arguments),
    /// Check the journal's chain, every terminal's chain, and all balances against their transfers.
    Audit(audit::Arguments),
    /// Look at everything a server needs and say what is wrong.
    Doctor(doctor::Arguments),
    /// Print receipts with their signatures.
    Receipt(receipt::Arguments),
    /// Write X and Z reports, shifts, days, locations, settlement statements and VAT.
    Report(report::Arguments),
    /// Write what somebody needs who audits the books.
    Export(export::Arguments),
    /// Write the documentation of procedures (Verfahrensdokumentation) as far as a program can.
    Procedures(procedures::Arguments),
    /// Put everything that has to be kept into one folder, and check such a folder.
    Archive(archive::Arguments),
    /// Judge exports of TSEs and codes of receipts, whoever made them.
    Verify(verify::Arguments),
    /// Seal secrets of TSEs and `tse.key`, so that a copy of the disk does not give them away.
    Secret(secret::Arguments),
    /// Say who may log in to the console.
    User(user::Arguments),
    /// Make wristbands, look at them, and bring them into the books.
    Tags(tags::Arguments),
    /// Bring a database to this program's format.
    Migrate(migrate::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are what was asked for; everything else is a wrong call.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _closed = error.print();
            return ExitCode::from(code as u8);
        }
    };
    let done = match arguments.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Desk(arguments) => desk::run(&arguments),
        Command::Keep(arguments) => keep::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Receipt(arguments) => receipt::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Procedures(arguments) => procedures::run(&arguments),
        Command::Archive(arguments) => archive::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Secret(arguments) => secret::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Tags(arguments) => tags::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
    };
    match done {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            eprintln!("groschen: {error:#}");
            let wrong_settings = error.is::<groschen::settings::SettingsError>();
            ExitCode::from(if wrong_settings { Exit::Usage } else { Exit::Failed } as u8)
        }
    }
}
