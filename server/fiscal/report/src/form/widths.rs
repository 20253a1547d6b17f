//! How wide letters of Helvetica are, in thousandths of their size: Adobe's published metrics (Core 14 AFM), which every reader of PDF has.

/// From the space to the tilde.
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// The same in bold.
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];

/// The letter that one with a mark is as wide as.
const fn base(letter: char) -> char {
    match letter {
        'À'..='Å' => 'A',
        'Æ' => '%',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' | 'Ø' => 'O',
        'Ù'..='Ü' => 'U',
        'Ý' => 'Y',
        'ß' => 'F',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        '·' | '¦' | '¨' | '´' | '¸' => '.',
        '×' | '÷' | '±' | '¬' => '+',
        ' '..='~' => letter,
        // Digits, signs of currencies, quotes: as wide as a digit.
        _ => '0',
    }
}

/// The width of a text in tenths of a point.
pub(super) fn width(text: &str, size: i16, bold: bool) -> i32 {
    let widths = if bold { &BOLD } else { &REGULAR };
    let of = |letter: char| {
        let place = (u32::from(base(letter)) - u32::from(' ')) as usize;
        i32::from(widths.get(place).copied().unwrap_or(556))
    };
    // Rounded up, so that nothing is wider than was measured.
    (text.chars().map(of).sum::<i32>() * i32::from(size) + 999) / 1_000
}

/// A text in lines no wider than this, broken at spaces; a word that is wider itself is broken where the line ends. At least one line.
pub(super) fn wrapped(text: &str, room: i32, size: i16, bold: bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let Some(line) = lines.last_mut() else { break };
        let with = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if width(&with, size, bold) <= room {
            *line = with;
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for letter in word.chars() {
            let Some(line) = lines.last_mut() else { break };
            line.push(letter);
            if width(line, size, bold) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(letter.to_string());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_length_are_equally_wide() {
        assert_eq!(width("1.234,56", 90, false), width("9.876,00", 90, false));
        assert_eq!(width("0", 1_000, true), 556);
        assert_eq!(width("Ä", 1_000, false), 667);
        assert_eq!(width("€", 1_000, false), 556);
    }

    #[test]
    fn no_line_is_wider_than_its_room() {
        let text = "Bänder und Becher 0123456789abcdef0123456789abcdef im Süden";
        let lines = wrapped(text, 600, 90, false);
        assert!(
            lines.len() > 3 && lines.iter().all(|line| width(line, 90, false) <= 600),
            "{lines:?}"
        );
        let letters = |text: &str| text.chars().filter(|letter| *letter != ' ').collect::<String>();
        assert_eq!(letters(&lines.concat()), letters(text));
        assert_eq!(wrapped("", 10, 90, false), [""]);
    }
}
