//! What mail servers say around a bounce, as rows: that mail failed, that it is late,
//! that it was answered by a program, and where the returned message begins. To teach
//! a new program's wording, add its row.
//!
//! Rows are lower-case; ASCII letters are matched in any case.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What a phrase says of the mail that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// A message could not be delivered.
    Failed,
    /// It could not be delivered, and will not be tried again, whatever else is said.
    GaveUp,
    /// A message is late, and will be tried again.
    Late,
}

use Says::{Failed, GaveUp, Late};

/// Phrases of subjects and of human parts.
#[rustfmt::skip]
const PHRASES: &[(Says, &str)] = &[
    // ── the message waits ────────────────────────────────────────────────────────
    (Late, "warning message only"),
    (Late, "this is a warning only"),
    (Late, "has not yet been delivered"),
    (Late, "not yet been delivered"),
    (Late, "has been delayed"),
    (Late, "is delayed"),
    (Late, "was delayed"),
    (Late, "been delayed"),
    (Late, "delivery delayed"),
    (Late, "delayed mail"),
    (Late, "delayed delivery"),
    (Late, "delayed:"),
    (Late, "(delay)"),
    (Late, "notification (delay)"),
    (Late, "still being retried"),
    (Late, "will be retried"),
    (Late, "will continue to try"),
    (Late, "will keep trying"),
    (Late, "keep trying to deliver"),
    (Late, "will retry for"),
    (Late, "will try again"),
    (Late, "delivery attempts will continue"),
    (Late, "do not need to resend"),
    (Late, "do not need to re-send"),
    (Late, "temporary failure report"),
    (Late, "notification: warning"),
    (Late, "delivery incomplete"),
    (Late, "message is still in the queue"),
    (Late, "could not be delivered yet"),
    (Late, "delivery is delayed"),
    (Late, "verzögert"),
    (Late, "wird weiterhin versucht"),
    (Late, "noch nicht zugestellt"),
    (Late, "retardé"),
    (Late, "n'a pas encore été"),
    (Late, "retrasad"),
    (Late, "aún no se ha"),
    (Late, "ainda não foi"),
    (Late, "в очереди"),
    (Late, "задержан"),
    (Late, "遅延"),
    (Late, "延迟"),
    // ── the message failed for good ──────────────────────────────────────────────
    (GaveUp, "permanent error"),
    (GaveUp, "permanent fatal error"),
    (GaveUp, "permanent failure"),
    (GaveUp, "permanently"),
    (GaveUp, "given up"),
    (GaveUp, "giving up"),
    (GaveUp, "not going to try again"),
    (GaveUp, "will not be retried"),
    (GaveUp, "no further delivery attempts"),
    (GaveUp, "no further attempts"),
    (GaveUp, "too long in the queue"),
    (GaveUp, "in the queue too long"),
    (GaveUp, "dauerhaft"),
    (GaveUp, "endgültig"),
    (GaveUp, "définitive"),
    // ── the message failed ───────────────────────────────────────────────────────
    (Failed, "undeliverable"),
    (Failed, "undelivered"),
    (Failed, "non-delivery"),
    (Failed, "nondeliverable"),
    (Failed, "non-deliverable"),
    (Failed, "could not be sent"),
    (Failed, "failed to send"),
    (Failed, "non delivery"),
    (Failed, "delivery failure"),
    (Failed, "delivery failed"),
    (Failed, "delivery has failed"),
    (Failed, "delivery problem"),
    (Failed, "delivery error"),
    (Failed, "delivery errors"),
    (Failed, "delivery status"),
    (Failed, "delivery report"),
    (Failed, "delivery notification"),
    (Failed, "failed to deliver"),
    (Failed, "failure notice"),
    (Failed, "failure notification"),
    (Failed, "failure delivery"),
    (Failed, "failure reasons"),
    (Failed, "failed permanently"),
    (Failed, "failed addresses"),
    (Failed, "failed recipient"),
    (Failed, "mail failed"),
    (Failed, "mail failure"),
    (Failed, "mail error"),
    (Failed, "mail system error"),
    (Failed, "mail delivery"),
    (Failed, "delivering your mail"),
    (Failed, "delivering your message"),
    (Failed, "returned mail"),
    (Failed, "returned to sender"),
    (Failed, "returning message"),
    (Failed, "returning to sender"),
    (Failed, "returned message"),
    (Failed, "message not delivered"),
    (Failed, "not delivered"),
    (Failed, "not be delivered"),
    (Failed, "not deliver"),
    (Failed, "not reach"),
    (Failed, "didn't reach"),
    (Failed, "cannot be delivered"),
    (Failed, "can't be delivered"),
    (Failed, "couldn't be delivered"),
    (Failed, "wasn't delivered"),
    (Failed, "wasn't able to deliver"),
    (Failed, "unable to deliver"),
    (Failed, "unable to complete delivery"),
    (Failed, "rejected by"),
    (Failed, "was rejected"),
    (Failed, "is rejected"),
    (Failed, "not a member"),
    (Failed, "are not member"),
    (Failed, "not a subscriber"),
    (Failed, "been rejected"),
    (Failed, "has been blocked"),
    (Failed, "message blocked"),
    (Failed, "you sent blocked"),
    (Failed, "blocked by our"),
    (Failed, "not been delivered"),
    (Failed, "had fatal errors"),
    (Failed, "had permanent"),
    (Failed, "had delivery"),
    (Failed, "had transient"),
    (Failed, "incorrectly constructed"),
    (Failed, "malformed recipient"),
    (Failed, "transcript of session"),
    (Failed, "transcript of the session"),
    (Failed, "bounce notification"),
    (Failed, "bounced message"),
    (Failed, "bounced mail"),
    (Failed, "unknown address"),
    (Failed, "user unknown"),
    (Failed, "address not found"),
    (Failed, "does not exist"),
    (Failed, "no such user"),
    (Failed, "may not exist"),
    (Failed, "unzustellbar"),
    (Failed, "nicht zugestellt"),
    (Failed, "nicht zustellbar"),
    (Failed, "zustellung fehlgeschlagen"),
    (Failed, "nicht zugestellt werden"),
    (Failed, "unzustellbarkeit"),
    (Failed, "non remis"),
    (Failed, "non distribu"),
    (Failed, "pas pu être"),
    (Failed, "échec de la remise"),
    (Failed, "échec de remise"),
    (Failed, "échec de la distribution"),
    (Failed, "n'a pas été remis"),
    (Failed, "no se ha podido entregar"),
    (Failed, "no se pudo entregar"),
    (Failed, "no entregado"),
    (Failed, "no se entregó"),
    (Failed, "error de entrega"),
    (Failed, "não foi entregue"),
    (Failed, "não pôde ser entregue"),
    (Failed, "falha na entrega"),
    (Failed, "non recapitabile"),
    (Failed, "mancata consegna"),
    (Failed, "impossibile recapitare"),
    (Failed, "onbestelbaar"),
    (Failed, "niet worden afgeleverd"),
    (Failed, "olevererbart"),
    (Failed, "kan ikke leveres"),
    (Failed, "nie można dostarczyć"),
    (Failed, "niedostarczon"),
    (Failed, "nedoručiteln"),
    (Failed, "nepodařilo doručit"),
    (Failed, "while trying to deliver"),
    (Failed, "no valid recipients"),
    (Failed, "kunde inte levereras"),
    (Failed, "kunne ikke leveres"),
    (Failed, "ei voitu toimittaa"),
    (Failed, "nem kézbesíthető"),
    (Failed, "δεν παραδόθηκε"),
    (Failed, "nu a putut fi livrat"),
    (Failed, "не вдалося доставити"),
    (Failed, "전송되지 못"),
    (Failed, "발송 실패"),
    (Failed, "배달되지 않"),
    (Failed, "전달되지 않"),
    (Failed, "تعذر تسليم"),
    (Failed, "teslim edilemedi"),
    (Failed, "не может быть доставлено"),
    (Failed, "не доставлено"),
    (Failed, "Не доставлено"),
    (Failed, "недоставленное"),
    (Failed, "Недоставленное"),
    (Failed, "не удалось доставить"),
    (Failed, "невозможно доставить"),
    (Failed, "配信できません"),
    (Failed, "配信不能"),
    (Failed, "配信に失敗"),
    (Failed, "配送できません"),
    (Failed, "送信できません"),
    (Failed, "送信に失敗"),
    (Failed, "届けることができません"),
    (Failed, "届きません"),
    (Failed, "お届けできません"),
    (Failed, "送達できません"),
    (Failed, "エラーメール"),
    (Failed, "無法投遞"),
    (Failed, "无法投递"),
    (Failed, "无法送达"),
    (Failed, "退信"),
    (Failed, "投递失败"),
    (Failed, "未送达"),
    (Failed, "배달되지"),
    (Failed, "전송할 수 없"),
    (Failed, "تعذر تسليم"),
    (Failed, "غير موجودة"),
];

static MATCHER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = PHRASES.iter().map(|(_, words)| words);
    automaton(words)
});

static COPY_MATCHER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(COPIES.iter()));

/// Building fails only beyond 2^31 states.
fn automaton<'a>(words: impl Iterator<Item = &'a &'a str>) -> Option<AhoCorasick> {
    let kind = Some(AhoCorasickKind::DFA);
    AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(words).ok()
}

/// Where words stand that announce the returned message, in their order.
pub(super) fn copies(text: &str) -> impl Iterator<Item = usize> {
    COPY_MATCHER.iter().flat_map(move |matcher| matcher.find_iter(text).map(|found| found.start()))
}

/// What was found in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) failed: bool,
    pub(super) gave_up: bool,
    pub(super) late: bool,
}

impl Said {
    /// Whether anything was said of delivery.
    pub(super) fn anything(self) -> bool {
        self.failed || self.gave_up || self.late
    }

    /// Whether a failure was told and no delay.
    pub(super) fn failed_for_good(self) -> bool {
        self.failed && !self.late
    }
}

/// What `text` says of the delivery of a message.
pub(super) fn said(text: &str) -> Said {
    let mut said = Said::default();
    let Some(matcher) = &*MATCHER else { return said };
    for found in matcher.find_iter(text) {
        match PHRASES[found.pattern().as_usize()].0 {
            Failed => said.failed = true,
            GaveUp => said.gave_up = true,
            Late => said.late = true,
        }
    }
    said
}

/// Words of the line behind which the returned message stands.
pub(super) const COPIES: &[&str] = &[
    "original message",
    "message headers follow",
    "copy of the message",
    "copy of your message",
    "copy of the original",
    "copy of the rejected",
    "header of the original",
    "headers of the original",
    "copy of the first part",
    "below this line",
    "unsent message",
    "returned message",
    "original mail",
    "message text follows",
    "bounced e-mail",
    "bounced email",
    "bounced message",
    "original header",
    "message header",
    "undelivered message",
    "rejected message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "исходное сообщение",
    "元のメッセージ",
    "元のメール",
    "原始邮件",
];

/// How the subject of a program's answer begins.
pub(super) const AUTO_REPLIES: &[&str] = &[
    "auto:",
    "auto reply",
    "auto-reply",
    "autoreply",
    "automatic reply",
    "automatic response",
    "auto response",
    "auto-response",
    "autoresponse",
    "autoresponder",
    "out of office",
    "out of the office",
    "out-of-office",
    "vacation",
    "on vacation",
    "i am away",
    "away from",
    "away notice",
    "abwesenheit",
    "automatische antwort",
    "abwesend",
    "ich bin nicht im",
    "réponse automatique",
    "reponse automatique",
    "absence",
    "absent",
    "respuesta automática",
    "respuesta automatica",
    "fuera de la oficina",
    "resposta automática",
    "fora do escritório",
    "risposta automatica",
    "fuori ufficio",
    "automatisch antwoord",
    "afwezig",
    "autosvar",
    "automaattinen vastaus",
    "automatyczna odpowiedź",
    "автоответ",
    "автоматический ответ",
    "自動応答",
    "自動返信",
    "不在",
    "自动回复",
    "自動回覆",
    "자동 회신",
    "부재중",
    "thank you for your e-mail",
    "thank you for your email",
];
