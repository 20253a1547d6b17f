//! QR codes as pictures.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// Modules of white around a code that readers need (ISO/IEC 18004, 6.3.8).
const QUIET: i32 = 4;

/// A module of a long code on a display.
const DENSE_PX: u8 = 4;

/// A code as SVG with black modules on white, whatever the theme: readers want it so. None when the content is too long for any code. The style says
/// how large it is.
///
/// Level M is what DFKA and BSI recommend for the codes of receipts.
pub fn svg(content: &str, title: &str) -> Option<Markup> {
    let (size, path) = drawn(content, QrCodeEcc::Medium)?;
    Some(html! {
        svg.qr xmlns="http://www.w3.org/2000/svg" viewBox=(view(size)) role="img" aria-label=(title) shape-rendering="crispEdges" {
            (modules(size, &path, title))
        }
    })
}

/// The same with modules of whole CSS pixels: at less than four pixels each, readers do not find a code of 80 uneven ones.
pub fn sharp(content: &str, title: &str, module_px: u8) -> Option<Markup> {
    whole(content, title, module_px, (QrCodeEcc::Medium, "code"))
}

/// The same for what is long and stands on a display, at level L: fewer modules are larger ones, and a display has no dirt and no creases.
pub fn dense(content: &str, title: &str) -> Option<Markup> {
    whole(content, title, DENSE_PX, (QrCodeEcc::Low, "dense"))
}

fn whole(content: &str, title: &str, module_px: u8, (level, class): (QrCodeEcc, &str)) -> Option<Markup> {
    let (size, path) = drawn(content, level)?;
    let pixels = size * i32::from(module_px);
    Some(html! {
        svg class=(class) xmlns="http://www.w3.org/2000/svg" width=(pixels) height=(pixels) viewBox=(view(size)) role="img" aria-label=(title) shape-rendering="crispEdges" {
            (modules(size, &path, title))
        }
    })
}

fn view(size: i32) -> String {
    format!("0 0 {size} {size}")
}

fn modules(size: i32, path: &str, title: &str) -> Markup {
    html! {
        title { (title) }
        rect width=(size) height=(size) fill="#fff" {}
        path d=(PreEscaped(path)) fill="#000" {}
    }
}

/// Modules from side to side, with the white around them, and the dark ones as a path.
fn drawn(content: &str, level: QrCodeEcc) -> Option<(i32, String)> {
    let code = QrCode::encode_text(content, level).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let begun = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            if x > begun {
                let run = x - begun;
                // Writing to a string cannot fail.
                let _written = write!(path, "M{} {}h{run}v1h-{run}z", begun + QUIET, y + QUIET);
            }
            x += 1;
        }
    }
    Some((code.size() + 2 * QUIET, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once_and_too_much_content_is_none() {
        let code = QrCode::encode_text("groschen", QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size())
            .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
            .filter(|(x, y)| code.get_module(*x, *y))
            .count();
        let svg = svg("groschen", "a <code>").unwrap().into_string();
        let drawn: usize = svg
            .split("v1h-")
            .skip(1)
            .filter_map(|part| part.split_once('z')?.0.parse::<usize>().ok())
            .sum();
        assert_eq!(drawn, dark);
        assert!(svg.contains("a &lt;code&gt;"));
        assert!(super::svg(&"x".repeat(5_000), "").is_none());
        // The longest address of a receipt: version 25 at level L, 117 modules and the white around them.
        let dense = super::dense(&"x".repeat(1_273), "").unwrap().into_string();
        assert!(
            dense.contains("width=\"500\" height=\"500\" viewBox=\"0 0 125 125\""),
            "{dense}"
        );
        let sharp = sharp("groschen", "a code", 3).unwrap().into_string();
        assert!(
            sharp.contains("width=\"87\" height=\"87\" viewBox=\"0 0 29 29\""),
            "{sharp}"
        );
    }
}
