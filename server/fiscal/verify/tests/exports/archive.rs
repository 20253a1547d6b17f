//! Archives as lists of files, so that a test can plant a fault in one of them.

use std::io::Read as _;

use verify::{Code, Options, Report};

/// The files of an archive in their order.
#[derive(Debug, Clone, Default)]
pub struct Files(pub Vec<(String, Vec<u8>)>);

impl Files {
    /// Of an archive.
    pub fn of(bytes: &[u8]) -> Self {
        let mut archive = tar::Archive::new(bytes);
        let files = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        });
        Self(files.collect())
    }

    /// As an archive.
    pub fn packed(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in &self.0 {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, content.as_slice()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// The place of the file whose name holds this.
    pub fn place(&self, part: &str) -> usize {
        let place = self.0.iter().position(|(name, _)| name.contains(part));
        place.unwrap_or_else(|| panic!("no file is named like {part}"))
    }

    /// Its content.
    pub fn content(&mut self, part: &str) -> &mut Vec<u8> {
        let place = self.place(part);
        &mut self.0[place].1
    }

    /// Judges it as it is.
    pub fn judge(&self) -> Report {
        self.judge_by(&Options::default())
    }

    /// Judges it.
    pub fn judge_by(&self, options: &Options) -> Report {
        verify::judge(self.packed().as_slice(), options)
    }
}

/// Options that want everything.
pub fn complete() -> Options {
    Options {
        complete: true,
        ..Options::default()
    }
}

/// What was found, without notes, each once; looks whether each is told in both languages.
pub fn found(report: &Report) -> Vec<&'static str> {
    for finding in &report.findings {
        assert_ne!(finding.what.de, finding.what.en, "it is told in both languages");
    }
    let notes = [Code::NoRoot, Code::Open];
    let codes = report.counts.iter().map(|count| count.code);
    codes.filter(|code| !notes.contains(code)).map(Code::name).collect()
}

/// Where something was found.
pub fn places(report: &Report, code: Code) -> Vec<&str> {
    let ours = report.findings.iter().filter(|finding| finding.code == code);
    ours.map(|finding| finding.place.en.as_str()).collect()
}
