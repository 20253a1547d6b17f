//! From a TSE's certificate to a root: signatures, who may issue, and whether everything was valid when the TSE signed.
//!
//! Every certificate of a chain has to be valid when a message was signed (the hybrid model that TR-03153-1 asks for). Lists of revoked
//! certificates are not read: they are not part of an export.

use wording::{Both, both};

use crate::certificate::{Certificate, Issued};
use crate::finding::{Code, Findings, Severity};
use crate::time::shown;

/// Certificates of a chain; those of TSEs have two or three.
const LENGTH_MAX: usize = 8;

/// Where a chain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// At a root that was given.
    GivenRoot,
    /// At a root of its own; none was given.
    OwnRoot,
    /// At no root, or at another one than those given.
    None,
}

/// What is looked at for a chain.
pub struct Search<'a> {
    /// Certificates of the export.
    pub pool: &'a [Certificate],
    /// Roots that are trusted.
    pub roots: &'a [Certificate],
    /// The first and the last time at which the leaf's key signed, in seconds since 1970.
    pub signed_s: (i64, i64),
}

impl Search<'_> {
    /// Follows the chain of a certificate and says where it ended, with the subjects on the way.
    pub fn follow(&self, leaf: &Certificate, findings: &mut Findings) -> (Trust, Vec<String>) {
        let (mut current, mut subjects) = (leaf, Vec::new());
        loop {
            self.check_time(current, findings);
            let place = current.subject();
            subjects.push(place.clone());
            if self.roots.iter().any(|root| root.stands_for(current)) {
                return (Trust::GivenRoot, subjects);
            }
            let own_root = current.names_issuer(current);
            let issuer = match self.issuer_of(current) {
                Ok(issuer) => issuer,
                Err((code, what)) => {
                    // Where a root was given, the question is whether it stands behind the key, and it was not answered.
                    let severity = if self.roots.is_empty() {
                        code.severity()
                    } else {
                        Severity::Error
                    };
                    findings.add_as(severity, code, place, || what);
                    return (Trust::None, subjects);
                }
            };
            if own_root {
                if self.roots.is_empty() {
                    findings.add(Code::NoRoot, place, || {
                        both!(
                            "die Zertifikatskette endet an einem Wurzelzertifikat, das der Export selbst mitbringt",
                            "the chain ends at a root that the export brings itself"
                        )
                    });
                    return (Trust::OwnRoot, subjects);
                }
                findings.add(Code::ChainRoot, place, || {
                    both!(
                        "die Zertifikatskette endet an einem Wurzelzertifikat, das keines der angegebenen ist",
                        "the chain ends at a root that is none of those given"
                    )
                });
                return (Trust::None, subjects);
            }
            let is_given = self.roots.iter().any(|root| root.stands_for(issuer));
            // Authorities between the issuer and the leaf.
            let between = subjects.len() - 1;
            if !is_given && issuer.authority.is_none_or(|most| usize::from(most) < between) {
                let what = || {
                    both!(
                        "es hat {place} ausgestellt und darf das nicht: es ist von keiner Zertifizierungsstelle, oder von keiner für eine so lange Kette",
                        "it issued {place} and may not: it is no authority, or not for a chain this long"
                    )
                };
                findings.add(Code::ChainNotAuthority, issuer.subject(), what);
            }
            if subjects.len() == LENGTH_MAX {
                let what = || {
                    both!(
                        "die Zertifikatskette hat mehr als {LENGTH_MAX} Zertifikate",
                        "the chain has more than {LENGTH_MAX} certificates"
                    )
                };
                findings.add_as(Severity::Error, Code::ChainIncomplete, place, what);
                return (Trust::None, subjects);
            }
            current = issuer;
        }
    }

    fn issuer_of<'s>(&'s self, current: &'s Certificate) -> Result<&'s Certificate, (Code, Both)> {
        let mut failed = None;
        let known = self.roots.iter().chain(self.pool);
        for candidate in known.filter(|candidate| current.names_issuer(candidate)) {
            match current.is_issued_by(candidate) {
                Issued::Yes => return Ok(candidate),
                Issued::No if failed.is_none() => {
                    let what = both!(
                        "{} soll es ausgestellt haben und hat es nicht",
                        "{} is said to have issued it and did not",
                        candidate.subject()
                    );
                    failed = Some((Code::ChainBroken, what));
                }
                Issued::No => {}
                Issued::Unchecked(why) => {
                    let subject = candidate.subject();
                    let what = Both::new(
                        format!("ob {subject} es ausgestellt hat, lässt sich nicht prüfen: {}", why.de),
                        format!("whether {subject} issued it cannot be checked: {}", why.en),
                    );
                    failed = Some((Code::ChainUnchecked, what));
                }
            }
        }
        let missing = || {
            let what = both!(
                "das Zertifikat seines Ausstellers, {}, fehlt",
                "the certificate of its issuer, {}, is not there",
                current.issuer()
            );
            (Code::ChainIncomplete, what)
        };
        Err(failed.unwrap_or_else(missing))
    }

    fn check_time(&self, certificate: &Certificate, findings: &mut Findings) {
        let (first, last) = self.signed_s;
        if first < certificate.not_before_s || last > certificate.not_after_s {
            let what = || {
                both!(
                    "es gilt von {} bis {}, Nachrichten sind von {} bis {} signiert",
                    "it is valid from {} to {}, messages were signed from {} to {}",
                    shown(certificate.not_before_s),
                    shown(certificate.not_after_s),
                    shown(first),
                    shown(last)
                )
            };
            findings.add(Code::Validity, certificate.subject(), what);
        }
    }
}
