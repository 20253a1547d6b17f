//! The characters that a till roll and a PDF without embedded fonts have in common: ASCII, the rest of Latin-1, the euro sign and the florin sign. Code
//! page 858 of printers and `WinAnsiEncoding` of PDF have exactly these for letters; everything else is written with them before it is laid out, so that
//! a line is as wide in a preview as on paper.

/// Code page 858 from byte 128 on. It is code page 850 with the euro sign, so that it has every letter of Latin-1.
const PAGE_858: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// What stands for a character that has no likeness.
const UNKNOWN: char = '?';

/// The byte of a character in code page 858.
pub(crate) fn page_858(character: char) -> u8 {
    if character.is_ascii() {
        return u8::try_from(character).unwrap_or(b'?');
    }
    let place = PAGE_858.chars().position(|known| known == character);
    place.and_then(|place| u8::try_from(place + 128).ok()).unwrap_or(b'?')
}

/// The byte of a character in `WinAnsiEncoding` (ISO 32000, annex D.2).
pub(crate) fn win_ansi(character: char) -> u8 {
    match character {
        '€' => 0x80,
        'ƒ' => 0x83,
        '\u{80}'..='\u{9f}' => b'?',
        other => u8::try_from(other).unwrap_or(b'?'),
    }
}

/// Whether a character is one of those that every form has.
fn is_common(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='ÿ' | '€' | 'ƒ')
}

/// A text in the common characters. Letters keep their base, dashes and quotes become plain ones, what cannot be seen goes.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_common(character) {
            plain.push(character);
        } else if let Some(mark) = mark_of(character) {
            let composed = plain.pop().map(|base| (base, compose(base, mark)));
            plain.extend(composed.map(|(base, composed)| composed.unwrap_or(base)));
        } else if character.is_whitespace() {
            plain.push(' ');
        } else if !is_unseen(character) {
            match likeness(character) {
                Some(likeness) => plain.push_str(likeness),
                None => plain.push(UNKNOWN),
            }
        }
    }
    plain
}

fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{300}'..='\u{36f}')
        || matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e007f}')
}

/// The place of a combining mark in [`compose`]'s rows.
fn mark_of(character: char) -> Option<usize> {
    [
        '\u{308}', '\u{301}', '\u{300}', '\u{302}', '\u{303}', '\u{30a}', '\u{327}',
    ]
    .iter()
    .position(|mark| *mark == character)
}

/// A letter and the mark that follows it as one letter, where Latin-1 has it: names come in either form of Unicode.
fn compose(base: char, mark: usize) -> Option<char> {
    const ROWS: [(&str, &str); 7] = [
        ("aeiouyAEIOU", "äëïöüÿÄËÏÖÜ"),
        ("aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ"),
        ("aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
        ("aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
        ("anoANO", "ãñõÃÑÕ"),
        ("aA", "åÅ"),
        ("cC", "çÇ"),
    ];
    let (bases, composed) = ROWS.get(mark)?;
    bases
        .chars()
        .zip(composed.chars())
        .find_map(|(known, composed)| (known == base).then_some(composed))
}

/// What comes closest to a character, in common ones.
fn likeness(character: char) -> Option<&'static str> {
    Some(match character {
        '‐'..='―' | '−' | '⁃' => "-",
        '‘' | '’' | '‚' | '‛' | '′' => "'",
        '“' | '”' | '„' | '‟' | '″' => "\"",
        '‹' => "<",
        '›' => ">",
        '…' => "...",
        '•' | '∙' | '⋅' => "·",
        '™' => "TM",
        '№' => "No",
        '→' => "->",
        'Œ' => "OE",
        'œ' => "oe",
        'ẞ' => "SS",
        'Ā' | 'Ă' | 'Ą' => "A",
        'ā' | 'ă' | 'ą' => "a",
        'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ď' | 'Đ' => "D",
        'ď' | 'đ' => "d",
        'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'Ń' | 'Ņ' | 'Ň' => "N",
        'ń' | 'ņ' | 'ň' => "n",
        'Ō' | 'Ŏ' => "O",
        'ō' | 'ŏ' => "o",
        'Ő' => "Ö",
        'ő' => "ö",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ų' => "U",
        'ũ' | 'ū' | 'ŭ' | 'ů' | 'ų' => "u",
        'Ű' => "Ü",
        'ű' => "ü",
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ŷ' | 'Ÿ' => "Y",
        'ŷ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_character_has_its_byte_on_paper_and_in_a_pdf() {
        assert_eq!(PAGE_858.chars().count(), 128);
        for code in 0x20..=0x20ac_u32 {
            let Some(character) = char::from_u32(code).filter(|character| is_common(*character)) else {
                continue;
            };
            for byte in [page_858(character), win_ansi(character)] {
                assert!(character == '?' || byte != b'?', "{character}");
            }
        }
        // The bytes that printers and readers are known to want.
        let bytes = "ÄÖÜäöüß€§".chars().map(page_858).collect::<Vec<_>>();
        assert_eq!(bytes, [0x8e, 0x99, 0x9a, 0x84, 0x94, 0x81, 0xe1, 0xd5, 0xf5]);
        let bytes = "ÄÖÜäöüß€§".chars().map(win_ansi).collect::<Vec<_>>();
        assert_eq!(bytes, [0xc4, 0xd6, 0xdc, 0xe4, 0xf6, 0xfc, 0xdf, 0x80, 0xa7]);
    }

    #[test]
    fn names_of_all_of_europe_can_be_read() {
        assert_eq!(
            plain("Żurek „Łódź“ – 1\u{202f}234,50\u{a0}€"),
            "Zurek \"Lódz\" - 1 234,50 €"
        );
        assert_eq!(plain("u\u{308}ber a\u{30a} e\u{31b}"), "über å e");
        assert_eq!(plain("\u{308}x"), "x");
        assert_eq!(plain("Bier \u{1f37a}\u{fe0f}\u{200d}, пиво"), "Bier ?, ????");
        assert_eq!(plain("a\tb\nc\u{7}"), "a b c");
    }
}
