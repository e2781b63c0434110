//! A text in words, numbers and marks, and what amounts of time look like in them.

use std::time::Duration;

/// Most tokens that are looked at.
const MAX_TOKENS: usize = 300;

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Letters.
    Word,
    /// Digits, with `.` or `:` between digits.
    Number,
    /// One other character.
    Mark,
}

impl<'a> Token<'a> {
    pub(super) fn word(&self) -> Option<&'a str> {
        (self.kind == Kind::Word).then_some(self.text)
    }

    pub(super) fn mark(&self) -> Option<char> {
        if self.kind == Kind::Mark { self.text.chars().next() } else { None }
    }

    pub(super) fn whole_number(&self) -> Option<u64> {
        (self.kind == Kind::Number && self.text.len() <= 6).then(|| self.text.parse().ok())?
    }

    fn is_number(&self) -> bool {
        self.kind == Kind::Number
    }

    /// `hh:mm:ss`.
    pub(super) fn clock(&self) -> Option<Duration> {
        let (hours, rest) = self.text.split_once(':')?;
        let (minutes, seconds) = rest.split_once(':')?;
        let two_digits = minutes.len() == 2 && seconds.len() == 2 && hours.len() <= 3;
        let (hours, minutes, seconds): (u64, u64, u64) =
            (hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?);
        (two_digits && minutes < 60 && seconds < 60)
            .then(|| Duration::from_secs(hours * 3600 + minutes * 60 + seconds))
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        self.word().is_some_and(|word| words.iter().any(|other| same(word, other)))
    }

    fn begins_with_any(&self, stems: &[&str]) -> bool {
        self.word().is_some_and(|word| stems.iter().any(|stem| begins(word, stem)))
    }

    pub(super) fn is_preposition(&self) -> bool {
        self.is_any(PREPOSITIONS)
    }
}

/// Whether `word` is `other`, which is in lower case.
fn same(word: &str, other: &str) -> bool {
    word.len() == other.len() && begins(word, other)
}

/// Whether `word` begins with `stem`, which is in lower case.
fn begins(word: &str, stem: &str) -> bool {
    let Some(start) = word.as_bytes().get(..stem.len()) else { return false };
    start.eq_ignore_ascii_case(stem.as_bytes())
        || (!stem.is_ascii() && in_lower_case(word).take(stem.chars().count()).eq(stem.chars()))
}

fn in_lower_case(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase)
}

const PREPOSITIONS: &[&str] = &[
    "in",
    "for",
    "after",
    "within",
    "wait",
    "another",
    "about",
    "approximately",
    "least",
    "nach",
    "für",
    "dans",
    "après",
    "apres",
    "pendant",
    "en",
    "dentro",
    "de",
    "em",
    "por",
    "tra",
    "fra",
    "dopo",
    "per",
    "через",
    "на",
    "в",
    "за",
    "在",
    "每",
    "za",
    "over",
    "om",
    "efter",
    "بعد",
    "sau",
    "ใน",
];

/// Words that speak of coming back, or of a state that ends by itself.
const RETURN_STEMS: &[&str] = &[
    "retry",
    "retries",
    "try",
    "again",
    "back",
    "later",
    "wait",
    "return",
    "resend",
    "reconnect",
    "resubmit",
    "accept",
    "greylist",
    "graylist",
    "defer",
    "delay",
    "throttl",
    "block",
    "suspend",
    "postpone",
    "locked",
    "busy",
    "remain",
    "until",
    "before",
    "next",
    "left",
    "versuch",
    "erneut",
    "später",
    "spater",
    "wieder",
    "warten",
    "rées",
    "reess",
    "attend",
    "reint",
    "intent",
    "esper",
    "aguard",
    "nuevo",
    "novamente",
    "tente",
    "riprov",
    "повтор",
    "попроб",
    "позже",
    "подожд",
    "後",
    "后",
    "重试",
    "再",
    "待",
    "もう",
    "ponown",
    "sprob",
    "sprób",
    "probeer",
    "opnieuw",
    "tekrar",
    "sonra",
    "zkus",
    "znovu",
    "försök",
    "igen",
    "múlva",
    "다시",
    "حاول",
    "пробуйте",
    "patient",
    "czek",
    "wacht",
    "uudelleen",
    "稍",
    "等",
    "후",
    "thử",
    "กรุณา",
    "โปรด",
    "ลอง",
    "経",
    "뒤",
];

/// Words before a time that make it another: a rate's, or one that is over.
const OTHER_TIMES: &[&str] = &[
    "per",
    "every",
    "each",
    "last",
    "past",
    "previous",
    "messages",
    "message",
    "mails",
    "mail",
    "emails",
    "connections",
    "connection",
    "recipients",
    "sessions",
    "attempts",
    "errors",
    "commands",
    "logins",
    "requests",
    "deliveries",
    "deliver",
    "delivered",
    "timeout",
    "timed",
    "idle",
    "inactive",
    "inactivity",
    "expired",
    "expires",
    "expire",
    "expiring",
    "connect",
    "queue",
    "queued",
    "than",
    "exceed",
    "exceeds",
    "exceeded",
    "maximum",
    "minimum",
    "limit",
    "received",
    "sent",
    "nachrichten",
    "verbindungen",
    "courriels",
    "mensajes",
    "mensagens",
    "messaggi",
    "сообщений",
    "писем",
];

pub(super) struct Tokens<'a>(Vec<Token<'a>>);

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Tokens<'a> {
        let mut tokens = Vec::with_capacity(MAX_TOKENS.min(text.len() / 4 + 4));
        let mut at = 0;
        while at < text.len() && tokens.len() < MAX_TOKENS {
            let (kind, len) = piece(&text[at..]);
            if !text[at..at + len].trim().is_empty() {
                tokens.push(Token { text: &text[at..at + len], start: at, end: at + len, kind });
            }
            at += len;
        }
        Tokens(tokens)
    }

    pub(super) fn all(&self) -> &[Token<'a>] {
        &self.0
    }

    /// Whether it has a number at all.
    pub(super) fn may_tell_a_time(&self) -> bool {
        self.0.iter().any(|token| token.is_number() || unit(token.text).is_some())
    }

    /// Whether the amount of time at `from..to` is how long to wait.
    pub(super) fn speaks_of_coming_back(&self, from: usize, to: usize) -> bool {
        let before = self.clause_before(from);
        if before.last().is_some_and(|token| token.is_any(&["at", "um", "since", "seit"])) {
            return false;
        }
        if is_how_long_it_is_tried(before) || is_a_deadline(before) || is_how_long_it_was(before) {
            return false;
        }
        if is_held_for(before) {
            return true;
        }
        let before = without_no_sooner_than(before);
        let prepositions = before.iter().rev().take_while(|token| token.is_preposition()).count();
        let words = &before[..before.len() - prepositions];
        let returns = |token: &Token<'_>| token.begins_with_any(RETURN_STEMS);
        if words.iter().rev().take(3).any(returns) {
            // "again in 60 seconds", but not "retry limit: 5 per 60 seconds".
            return !before
                .iter()
                .rev()
                .take(2)
                .any(|token| token.is_any(&["last", "past", "every", "each", "than"]))
                && !words.last().is_some_and(|token| token.is_any(OTHER_TIMES))
                || is_to_be_sent_again(words);
        }
        let another_time =
            before.iter().rev().take(5).any(|token| token.is_any(OTHER_TIMES) || token.is_number());
        if another_time {
            return false;
        }
        let wait = before.iter().any(|token| token.is_preposition());
        wait || self.0[to..].iter().take(5).any(returns) || self.0[..from].iter().any(returns)
    }

    /// The tokens before `at` back to the last end of a clause, at most twelve.
    fn clause_before(&self, at: usize) -> &[Token<'a>] {
        let start = at.saturating_sub(12);
        let ends = |token: &Token<'_>| {
            matches!(
                token.mark(),
                Some('.' | ',' | ';' | ':' | '(' | ')' | '!' | '。' | '、' | '，')
            )
        };
        let cut = self.0[start..at].iter().rposition(ends).map_or(start, |found| start + found + 1);
        &self.0[cut..at]
    }
}

/// `will retry for`, `keep trying for`: the queue's lifetime, and no time to come back.
fn is_how_long_it_is_tried(before: &[Token<'_>]) -> bool {
    let [words @ .., attempt, until] = before else { return false };
    let goes_on = |token: &Token<'_>| token.is_any(&["will", "keep", "continue", "be"]);
    until.is_any(&["for"])
        && attempt.begins_with_any(&["retr", "try"])
        && words.iter().rev().take(3).any(goes_on)
}

/// `within 24 hours`: until when an attempt is taken, which may be made at once.
fn is_a_deadline(before: &[Token<'_>]) -> bool {
    let within = |token: &Token<'_>| token.is_any(&["within", "innerhalb", "binnen", "entro"]);
    before.iter().rev().take(3).any(within)
        || matches!(before, [.., word, last] if last.is_any(&["before"]) && !word.is_any(&["not"]))
}

/// `resend your message`: one that is counted would be of a rate.
fn is_to_be_sent_again(words: &[Token<'_>]) -> bool {
    const AGAIN: &[&str] = &["resend", "resubmit", "retransmit"];
    words.iter().rev().take(3).any(|token| token.is_any(AGAIN))
        && !words.iter().any(Token::is_number)
}

/// `has been over quota for`, of nothing that ends by itself: a time that is over.
fn is_how_long_it_was(before: &[Token<'_>]) -> bool {
    const HELD: &[&str] =
        &["greylist", "graylist", "defer", "delay", "throttl", "block", "suspend", "lock", "ban"];
    let [words @ .., last] = before else { return false };
    last.is_any(&["for"])
        && words.iter().any(|token| token.is_any(&["been", "inactive"]))
        && !words.iter().any(|token| token.begins_with_any(HELD))
}

/// `delaying mail from unknown hosts for`, which counts nothing: how long it is held.
fn is_held_for(before: &[Token<'_>]) -> bool {
    let [words @ .., last] = before else { return false };
    let holds = |token: &Token<'_>| token.begins_with_any(&["delaying", "deferring", "postponing"]);
    last.is_any(&["for"]) && words.iter().any(holds) && !words.iter().any(Token::is_number)
}

/// Without `sooner than`, which would read as a limit.
fn without_no_sooner_than<'a, 'b>(before: &'b [Token<'a>]) -> &'b [Token<'a>] {
    match before {
        [words @ .., sooner, than]
            if than.is_any(&["than"]) && sooner.is_any(&["sooner", "earlier"]) =>
        {
            words
        }
        _ => before,
    }
}

/// The kind and length of the piece at the start of `text`.
fn piece(text: &str) -> (Kind, usize) {
    let octets = text.as_bytes();
    let Some(first) = text.chars().next() else { return (Kind::Mark, 0) };
    if first.is_ascii_digit() {
        let inner = |at: usize| {
            octets[at].is_ascii_digit()
                || (matches!(octets[at], b'.' | b':')
                    && octets.get(at + 1).is_some_and(u8::is_ascii_digit))
        };
        return (Kind::Number, (0..octets.len()).find(|at| !inner(*at)).unwrap_or(octets.len()));
    }
    if is_cjk(first) {
        let unit = CJK_UNITS.iter().find(|(name, _)| text.starts_with(name));
        return (Kind::Word, unit.map_or(first.len_utf8(), |(name, _)| name.len()));
    }
    if first.is_alphabetic() {
        let end = text.find(|c: char| !c.is_alphabetic() || is_cjk(c)).unwrap_or(text.len());
        return (Kind::Word, end);
    }
    (Kind::Mark, first.len_utf8())
}

fn is_cjk(c: char) -> bool {
    c >= '\u{2e80}'
}

const CJK_UNITS: &[(&str, u64)] = &[
    ("秒", 1),
    ("分钟", 60),
    ("分鐘", 60),
    ("分間", 60),
    ("分", 60),
    ("小时", 3600),
    ("小時", 3600),
    ("時間", 3600),
    ("天", 86_400),
    ("日間", 86_400),
];

/// Names of units and their seconds, in the order of their octets; where a plain text
/// loses a diacritic, without it as well.
const UNITS: &[(&str, u64)] = &[
    ("d", 86400),
    ("dag", 86400),
    ("dagar", 86400),
    ("dagen", 86400),
    ("dakika", 60),
    ("day", 86400),
    ("days", 86400),
    ("dia", 86400),
    ("dias", 86400),
    ("dk", 60),
    ("dni", 86400),
    ("dní", 86400),
    ("dzien", 86400),
    ("dzień", 86400),
    ("día", 86400),
    ("días", 86400),
    ("giorni", 86400),
    ("giorno", 86400),
    ("giờ", 3600),
    ("godzin", 3600),
    ("godzine", 3600),
    ("godziny", 3600),
    ("godzinę", 3600),
    ("gun", 86400),
    ("gün", 86400),
    ("h", 3600),
    ("hari", 86400),
    ("heure", 3600),
    ("heures", 3600),
    ("hodin", 3600),
    ("hodinu", 3600),
    ("hora", 3600),
    ("horas", 3600),
    ("hour", 3600),
    ("hours", 3600),
    ("hr", 3600),
    ("hrs", 3600),
    ("jam", 3600),
    ("jour", 86400),
    ("jours", 86400),
    ("m", 60),
    ("masodperc", 1),
    ("menit", 60),
    ("min", 60),
    ("mins", 60),
    ("minut", 60),
    ("minute", 60),
    ("minuten", 60),
    ("minuter", 60),
    ("minutes", 60),
    ("minuti", 60),
    ("minuto", 60),
    ("minutos", 60),
    ("minutter", 60),
    ("minuty", 60),
    ("minutę", 60),
    ("minuutin", 60),
    ("minuuttia", 60),
    ("mn", 60),
    ("másodperc", 1),
    ("ngay", 86400),
    ("ngày", 86400),
    ("ora", 3600),
    ("ore", 3600),
    ("perc", 60),
    ("phut", 60),
    ("phút", 60),
    ("s", 1),
    ("saat", 3600),
    ("saniye", 1),
    ("sec", 1),
    ("second", 1),
    ("seconde", 1),
    ("seconden", 1),
    ("secondes", 1),
    ("secondi", 1),
    ("secondo", 1),
    ("seconds", 1),
    ("secs", 1),
    ("segundo", 1),
    ("segundos", 1),
    ("sek", 1),
    ("sekund", 1),
    ("sekunde", 1),
    ("sekunden", 1),
    ("sekunder", 1),
    ("sekundy", 1),
    ("sekunnin", 1),
    ("sekuntia", 1),
    ("std", 3600),
    ("stunde", 3600),
    ("stunden", 3600),
    ("tag", 86400),
    ("tage", 86400),
    ("tagen", 86400),
    ("timer", 3600),
    ("timmar", 3600),
    ("timme", 3600),
    ("tunnin", 3600),
    ("tuntia", 3600),
    ("uren", 3600),
    ("uur", 3600),
    ("viertelstunde", 900),
    ("óra", 3600),
    ("λεπτά", 60),
    ("годин", 3600),
    ("день", 86400),
    ("дней", 86400),
    ("дня", 86400),
    ("мин", 60),
    ("минут", 60),
    ("минута", 60),
    ("минуту", 60),
    ("минуты", 60),
    ("сек", 1),
    ("секунд", 1),
    ("секунда", 1),
    ("секунду", 1),
    ("секунды", 1),
    ("хвилин", 60),
    ("час", 3600),
    ("часа", 3600),
    ("часов", 3600),
    ("דקות", 60),
    ("ימים", 86400),
    ("שניות", 1),
    ("שעות", 3600),
    ("أيام", 86400),
    ("ثانية", 1),
    ("ثوان", 1),
    ("ثواني", 1),
    ("دقائق", 60),
    ("دقيقة", 60),
    ("ساعات", 3600),
    ("ساعة", 3600),
    ("يوم", 86400),
    ("นาที", 60),
    ("วินาที", 1),
    ("분", 60),
    ("시간", 3600),
    ("일", 86400),
    ("초", 1),
];

const NUMBER_WORDS: &[(u64, &[&str])] = &[
    (
        1,
        &[
            "one", "an", "a", "einer", "eine", "einem", "une", "un", "una", "um", "uma", "один",
            "одну",
        ],
    ),
    (2, &["two", "zwei", "deux", "dos", "dois", "due"]),
    (3, &["three", "drei", "trois", "tres", "tre"]),
    (5, &["five", "fünf", "cinq", "cinco", "cinque", "пять"]),
    (10, &["ten", "zehn", "dix", "diez", "dez", "dieci", "десять"]),
    (15, &["fifteen", "fünfzehn", "quinze", "quince", "quindici"]),
    (20, &["twenty", "zwanzig", "vingt", "veinte", "vinte", "venti"]),
    (30, &["thirty", "dreißig", "dreissig", "trente", "treinta", "trinta", "trenta"]),
    (60, &["sixty", "sechzig"]),
];

/// The names of units but for those of one or two letters.
pub(super) fn units() -> impl Iterator<Item = &'static str> {
    UNITS.iter().chain(CJK_UNITS).map(|(name, _)| *name).filter(|name| name.len() > 2)
}

/// Longest name of a unit in octets.
const MAX_UNIT_OCTETS: usize = 20;

/// The seconds of a unit's name, which CJK may run on from.
fn unit(text: &str) -> Option<u64> {
    let first = text.as_bytes().first()?;
    if text.len() > MAX_UNIT_OCTETS || !MAY_BEGIN_A_UNIT[*first as usize] {
        return None;
    }
    if !text.is_ascii() {
        let cjk = CJK_UNITS.iter().find(|(name, _)| text.starts_with(name));
        return cjk.map(|(_, seconds)| *seconds).or_else(|| named(&text.to_lowercase()));
    }
    let mut lower = [0; MAX_UNIT_OCTETS];
    let lower = &mut lower[..text.len()];
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok().and_then(named)
}

/// The first octets of the names of units, in either case.
const MAY_BEGIN_A_UNIT: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < UNITS.len() {
        let first = UNITS[at].0.as_bytes()[0];
        table[first as usize] = true;
        table[first.to_ascii_uppercase() as usize] = true;
        at += 1;
    }
    // Capital letters of other scripts begin with other octets.
    let mut octet = 0xc3;
    while octet < 256 {
        table[octet] = true;
        octet += 1;
    }
    table
};

fn named(unit: &str) -> Option<u64> {
    let at = UNITS.binary_search_by(|(name, _)| (*name).cmp(unit)).ok()?;
    Some(UNITS[at].1)
}

/// An amount of time at `at`: its length and where it ends. Several parts add up, of a
/// range the later end counts.
pub(super) fn amount(all: &[Token<'_>], at: usize) -> Option<(Duration, usize)> {
    if let Some(found) = iso_8601(all, at) {
        return Some(found);
    }
    let (mut total, mut end, mut smallest) = part(all, at)?;
    while let Some((more, next, unit)) = part(all, skip_and(all, end)) {
        if unit >= smallest {
            break;
        }
        total += more;
        (end, smallest) = (next, unit);
    }
    if is_and_a_half(&all[end..]) {
        total += 0.5 * smallest as f64;
        end += 3;
    }
    Some((Duration::from_millis((total * 1000.0).round() as u64), end))
}

/// `an hour and a half`.
fn is_and_a_half(rest: &[Token<'_>]) -> bool {
    matches!(rest, [and, a, half, ..]
        if and.is_any(&["and"]) && a.is_any(&["a"]) && half.is_any(&["half"]))
}

/// `PT5M`, `PT1H30M` (ISO 8601): hours, minutes and seconds in one piece, and where it ends.
fn iso_8601(all: &[Token<'_>], at: usize) -> Option<(Duration, usize)> {
    if !all.get(at)?.is_any(&["pt"]) {
        return None;
    }
    let (mut seconds, mut end) = (0, at + 1);
    while let [number, unit, ..] = &all[end..] {
        let is_joined = all[end - 1].end == number.start && number.end == unit.start;
        let of_unit = match unit.word()?.to_ascii_lowercase().as_str() {
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => break,
        };
        if !is_joined {
            break;
        }
        seconds += number.whole_number()? * of_unit;
        end += 2;
    }
    (end > at + 1).then(|| (Duration::from_secs(seconds), end))
}

fn skip_and(all: &[Token<'_>], at: usize) -> usize {
    let joins = |token: &Token<'_>| {
        token.is_any(&["and", "und", "et", "y", "e", "и"]) || token.mark() == Some(',')
    };
    if all.get(at).is_some_and(joins) { at + 1 } else { at }
}

/// `half an hour`, `eine halbe Stunde`, `une demi heure`, `media hora`.
fn half(all: &[Token<'_>], at: usize) -> Option<(f64, usize, u64)> {
    const HALVES: &[&str] =
        &["half", "halbe", "halben", "halber", "demi", "media", "meia", "mezza", "mezzora", "пол"];
    if !all.get(at)?.is_any(HALVES) {
        return None;
    }
    let article = usize::from(all.get(at + 1)?.is_any(&["an", "a", "una", "uma"]));
    let joint = usize::from(all.get(at + 1 + article)?.mark() == Some('-'));
    let name = at + 1 + article + joint;
    let seconds = unit(all.get(name)?.word()?)?;
    Some((0.5 * seconds as f64, name + 1, seconds))
}

/// `a quarter of an hour`, `un quart d'heure`, `un cuarto de hora`.
fn quarter(all: &[Token<'_>], at: usize) -> Option<(f64, usize, u64)> {
    let article = usize::from(all.get(at)?.is_any(&["a", "un", "une"]));
    let (name, rest) = all.get(at + article..)?.split_first()?;
    if !name.is_any(&["quarter", "quart", "cuarto", "quarto"]) {
        return None;
    }
    let joins = |token: &&Token<'_>| {
        token.is_any(&["of", "an", "de", "d"]) || matches!(token.mark(), Some('\'' | '’' | '-'))
    };
    let joints = rest.iter().take(3).take_while(joins).count();
    let seconds = unit(rest.get(joints)?.word()?)?;
    Some((0.25 * seconds as f64, all.len() - rest.len() + joints + 1, seconds))
}

/// A number with its unit: seconds, where it ends, the seconds of the unit.
fn part(all: &[Token<'_>], at: usize) -> Option<(f64, usize, u64)> {
    if let Some(fraction) = half(all, at).or_else(|| quarter(all, at)) {
        return Some(fraction);
    }
    let token = all.get(at)?;
    if at > 0 && all[at - 1].is_any(&["через"]) {
        // One hour and one minute go without a number there.
        if let Some(seconds) = unit(token.text) {
            return Some((seconds as f64, at + 1, seconds));
        }
    }
    let is_of_a_name = at > 0
        && all[at - 1].end == token.start
        && !all[at - 1].is_cjk_word()
        && !matches!(all[at - 1].mark(), Some('(' | '[' | '"' | '\'' | '=' | '~'));
    if is_of_a_name
        && !(at >= 1 && unit(all[at - 1].text).is_some() && at >= 2 && all[at - 2].is_number())
    {
        return None;
    }
    // Most words are followed by no unit: asked first, since it is asked quickly.
    let apostrophe = matches!(all.get(at + 1).and_then(Token::mark), Some('\'' | '’'));
    let elided = usize::from(apostrophe && !token.is_number());
    let mut next = at + 1 + elided;
    let upper = end_of_range(all, next);
    let is_before_unit = || all.get(next).is_some_and(|name| unit(name.text).is_some());
    let counts = token.is_number() || upper.is_some() || is_before_unit();
    let value = if counts { number(token)? } else { return None };
    if upper.is_some() {
        next += 2;
    }
    if all.get(next).and_then(Token::mark) == Some('-') {
        next += 1;
    }
    let name = all.get(next)?;
    let seconds = unit(name.word()?)?;
    let short = name.text.len() == 1 && name.text.is_ascii();
    let attached = all[next - 1].end == name.start;
    let is_led = at > 0 && all[at - 1].is_preposition();
    if short && (!attached && name.text != "s" && !is_led || name.text.starts_with('M')) {
        return None;
    }
    let plain_number = token.is_number() || name.text.chars().count() > 2;
    plain_number.then(|| (upper.unwrap_or(value) * seconds as f64, plural(all, next + 1), seconds))
}

/// The later end of a range whose joint stands at `joint`: `-10 minutes`, `to ten minutes`.
fn end_of_range(all: &[Token<'_>], joint: usize) -> Option<f64> {
    let token = all.get(joint)?;
    let joins = matches!(token.mark(), Some('-' | '–'))
        || token.is_any(&["to", "or", "bis", "oder", "à", "ou", "a", "o"]);
    let end = all.get(joint + 1).filter(|_| joins)?;
    let is_before_unit = || all.get(joint + 2).is_some_and(|name| unit(name.text).is_some());
    if end.is_number() || is_before_unit() { number(end) } else { None }
}

/// Skips `(s)`, `.` after an abbreviation is left to the text.
fn plural(all: &[Token<'_>], at: usize) -> usize {
    let marks: Vec<&str> =
        all[at.min(all.len())..].iter().take(3).map(|token| token.text).collect();
    if marks == ["(", "s", ")"] { at + 3 } else { at }
}

fn number(token: &Token<'_>) -> Option<f64> {
    if token.is_number() {
        let usual = token.text.len() <= 6
            && !token.text.contains(':')
            && token.text.matches('.').count() <= 1;
        return usual.then(|| token.text.parse().ok())?;
    }
    let word = token.word()?;
    let named = NUMBER_WORDS.iter().find(|(_, names)| names.iter().any(|name| same(word, name)));
    named.map(|(value, _)| *value as f64)
}

impl Token<'_> {
    fn is_cjk_word(&self) -> bool {
        self.text.chars().next().is_some_and(is_cjk)
    }
}
