//! That the texts are whole: every key that the code can ask for is there in every
//! complete language, none stands there unused, and placeholders agree. Then what
//! `explain` says of some verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::entry::{CONCERNED, Topic, entry, key};
use super::*;
use crate::compare::Aspect;
use crate::facts::field::Foreign;
use crate::facts::keyword::Keyword;
use crate::facts::role::{Change, Effect, Moment, Offered, Purpose};
use crate::facts::{NextStep, Standing};
use crate::{
    Cause, Confidence, Context, EnhancedCode, Evidence, Reply, Scope, Stage, catalogue, classify,
};

/// Every text of a file by its key, and its raw pattern; read as Fluent reads it.
fn raw_texts(language: Language) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let (mut message, mut current) = (String::new(), String::new());
    for line in language.source().lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_suffix(" =") {
            // A message without a text of its own, only attributes.
            message = name.to_owned();
        } else if let Some((name, text)) = line.split_once(" = ").filter(|_| !line.starts_with(' '))
        {
            message = name.to_owned();
            current = message.clone();
            let twice = texts.insert(current.clone(), text.to_owned());
            assert_eq!(twice, None, "{language}: {current} stands twice");
        } else if let Some((name, text)) =
            line.strip_prefix("    .").and_then(|l| l.split_once(" = "))
        {
            current = format!("{message}.{name}");
            let twice = texts.insert(current.clone(), text.to_owned());
            assert_eq!(twice, None, "{language}: {current} stands twice");
        } else if let Some(text) = texts.get_mut(&current) {
            text.push_str(line);
        }
    }
    texts
}

/// The keys that the code asks for, whatever is explained.
fn keys_asked_for() -> BTreeSet<String> {
    let mut keys: BTreeSet<String> = WORDS.split_whitespace().map(str::to_owned).collect();
    let mut add = |key: String, parts: &[&str]| {
        keys.extend(parts.iter().map(|part| format!("{key}.{part}")));
        keys.insert(key);
    };
    for digit in 2..=5 {
        add(format!("class-{digit}"), &["meaning", "when", "fix"]);
    }
    for subject in 0..=8 {
        add(format!("subject-{subject}"), &["meaning", "when", "fix"]);
    }
    for row in facts::CODES {
        add(key(Topic::Code(row.code)), &["meaning", "when", "fix", "use"]);
    }
    for row in facts::ENHANCED {
        let code = EnhancedCode::new(5, row.number.0, row.number.1).unwrap();
        let key = key(Topic::Enhanced(code));
        // Finer than the advice of its cause: then in every language.
        let own = row.causes.is_empty() || has(Language::En, &format!("{key}.fix"));
        add(key, if own { &["meaning", "when", "fix"] } else { &["meaning"] });
    }
    for class in [2, 4, 5] {
        add(format!("enhanced-class-{class}"), &["meaning", "when", "fix"]);
    }
    for subject in 0..=8 {
        add(format!("enhanced-subject-{subject}"), &["meaning", "when", "fix"]);
    }
    for row in facts::field::FIELD_CODES {
        add(key(Topic::Code(row.code)), &["meaning", "when", "fix"]);
    }
    for number in Foreign::all() {
        add(key(Topic::Foreign(number)), &["meaning", "when", "fix"]);
    }
    for row in facts::provider::PROVIDERS {
        add(format!("provider-{}", row.id), &["meaning"]);
    }
    for keyword in Keyword::all() {
        add(key(Topic::Keyword(keyword)), &["meaning", "when", "fix"]);
    }
    for cause in Cause::ALL {
        add(key(Topic::Cause(*cause)), &["words", "meaning", "when", "fix"]);
    }
    for row in catalogue::ROWS {
        add(format!("answer-{}", row.id), &[]);
    }
    for stage in Stage::ALL {
        add(key(Topic::Command(*stage)), &["meaning", "when", "fix"]);
    }
    for notice in ["failed", "delayed", "delivered", "relayed", "expanded"] {
        keys.extend(["subject", "opening"].map(|part| format!("dsn-{notice}.{part}")));
    }
    keys.extend(keys_of_facts());
    keys.extend(refusal::keys().into_iter().map(str::to_owned));
    keys
}

/// The keys that are made from the names of facts.
fn keys_of_facts() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut says = |aspect: Aspect, value: &str| {
        let key = format!("says-{}-{value}", aspect.name());
        keys.insert(format!("aspect-{}", aspect.name()));
        keys.insert(format!("{key}.both"));
        keys.insert(key);
    };
    for permanence in ["positive", "transient", "permanent", "either"] {
        says(Aspect::Permanence, permanence);
    }
    for action in ["wait", "change", "nothing"] {
        says(Aspect::Action, action);
    }
    for standing in Standing::ALL {
        says(Aspect::Standing, standing.name());
    }
    says(Aspect::Standing, "keyword");
    says(Aspect::Replies, "only");
    Purpose::ALL.iter().for_each(|purpose| says(Aspect::Purpose, purpose.name()));
    Moment::ALL.iter().for_each(|moment| says(Aspect::Moment, moment.name()));
    Effect::ALL.iter().for_each(|effect| says(Aspect::Effect, effect.name()));
    Change::ALL.iter().for_each(|change| says(Aspect::Change, change.name()));
    Offered::ALL.iter().for_each(|offered| says(Aspect::Offered, offered.name()));
    ["some", "command", "nothing"].iter().for_each(|adds| says(Aspect::Adds, adds));
    ["specified", "own"].iter().for_each(|source| says(Aspect::Source, source));
    for answers in ["any", "some"] {
        says(Aspect::Answers, answers);
    }
    for scope in Scope::ALL {
        says(Aspect::Scope, scope.name());
    }
    let movers = [WhoseMove::Nobody, WhoseMove::SenderSoftware];
    for whose in movers.iter().chain(&CONCERNED) {
        says(Aspect::WhoseMove, whose.name());
    }
    for next in NextStep::ALL {
        says(Aspect::Next, next.name());
    }
    for whose in movers.iter().chain(&CONCERNED) {
        keys.insert(format!("whose-{}", whose.name()));
        keys.insert(format!("move-{}", whose.name()));
    }
    keys.extend(CONCERNED.map(|whom| format!("for-{}", whom.name())));
    keys.extend(Scope::ALL.map(|scope| format!("scope-{}", scope.name())));
    for cause in Cause::ALL {
        let next = facts::next_step(*cause, Permanence::Permanent);
        keys.insert(format!("when-next-{}", next.name()));
    }
    keys
}

/// The keys that are written out in the code, here and in the command line.
const WORDS: &str =
    "log-attempts log-bar log-between log-bounced log-causes log-clients log-deferred
    log-destinations log-failed-of log-fell-out log-forgotten log-hosts log-kept-too-little
    log-mostly log-not-text log-nothing-failed log-nothing-heard log-null-sender log-received
    log-refusals log-refusals-fix log-rejected log-senders log-sent log-title log-title-timeless log-to-do
    log-too-long log-trend-failed log-trend-sent log-troubles log-unknown log-whose-move
    permanence-positive permanence-transient permanence-permanent
    confidence-high confidence-medium confidence-low any-command
    stage-connection stage-end-of-data stage-unrecognized-command
    duration-days duration-hours duration-minutes duration-seconds duration-pair from-now
    quoted list-end list-choice list-separator sentence-space labelled label-meaning label-code label-when-seen label-whose-move label-what-to-do
    label-how-to-fix label-when-next label-evidence label-alternatives label-source
    label-answers label-causes label-codes label-about label-comparison label-differences
    label-in-common label-when-to-use move-waits move-gave-up move-goes-on fix-gave-up when-after when-at
    when-anew-after when-anew-at when-at-once
    when-next-by-class when-minutes when-hours evidence-first-digit no-such-code no-such-enhanced-code
    no-such-topic no-such-topic-listed no-such-language compare-same compare-alike choose-by-scope choose-by-permanence use-of
    relation-answers relation-answers-not relation-tells relation-told-after
    relation-told-after-not relation-said-and-offered
    label-provider label-refused label-wordings label-example label-adds label-error label-help label-warning dialog-wait
    source-field source-field-with field-shorthand
    dsn-from dsn-closing dsn-remote-said dsn-said dsn-no-answer dsn-next-attempt dsn-try-until
    dsn-may-be-full dsn-whose-move dsn-what-to-do
    web-title web-tagline web-lede web-box-label web-box-button web-box-note web-search-label
    web-search-button web-search-heading web-search-none web-nav web-nav-codes web-nav-enhanced
    web-nav-causes web-nav-commands web-nav-compare web-skip web-language web-home
    web-field-codes web-foreign-numbers web-provider-codes web-patterns web-keywords
    web-compare-heading web-compare-lede web-compare-first web-compare-second
    web-compare-button web-compare-title web-compare-often web-see-also web-drawing
    web-node-sender web-node-sender-server web-node-recipient-server web-node-recipient
    web-heard web-heard-more web-heard-for web-nothing-heard web-nothing-heard-what
    web-not-found web-not-found-what web-too-big web-too-big-what web-too-many
    web-too-many-what web-not-allowed web-not-allowed-what web-too-slow web-too-slow-what
    web-too-long web-too-long-what web-too-many-fields web-too-many-fields-what
    web-bad-request web-bad-request-what web-fault web-fault-what web-problem-missing
    web-problem-not-json web-problem-no-string web-problem-elsewhere web-problem-no-resource
    web-kind-reply web-kind-bounce web-kind-delay web-kind-log
    web-kind-webhook web-kind-complaint web-kind-auth-report web-kind-auto-reply
    web-kind-not-a-bounce web-footer web-api
    cli-asked cli-known cli-how-sure cli-this-server cli-mailbox-exists cli-mailbox-accepted
    cli-mailbox-exists-unavailable cli-mailbox-does-not-exist cli-mailbox-not-known
    cli-sure-said cli-sure-refused cli-sure-accepted cli-sure-not-known cli-your-address
    cli-message cli-delivered cli-notification cli-test-arrived cli-test-failed
    cli-test-handed-on cli-test-waits cli-test-arrived-sure cli-test-failed-sure
    cli-test-refused-sure cli-test-handed-on-sure cli-test-waits-sure cli-queued cli-follow
    cli-dropped cli-dropped-next cli-not-running cli-not-running-help cli-greeting cli-ehlo
    cli-nothing-said cli-ended-early cli-offers cli-extension-unknown cli-stand-offered
    cli-stand-noncommittal cli-stand-switched-off cli-stand-unknown cli-stand-refused
    cli-stand-not-answered cli-added cli-removed cli-disabled cli-disabled-until cli-enabled
    cli-no-mailbox cli-lies-in cli-quota cli-state cli-quota-final cli-state-disabled
    cli-state-disabled-until cli-foreign-domain cli-lock-waits cli-greylist-empty
    cli-greylist-waiting cli-greylist-passed cli-greylist-allowed cli-greylist-between
    cli-greylist-from cli-greylist-anybody cli-greylist-opens cli-greylist-expires
    cli-greylist-attempts cli-passes cli-damaged cli-lost cli-whole cli-spool-messages
    cli-spool-on-disk cli-spool-free cli-spool-daemon cli-spool-running cli-spool-stopped
    cli-spool-place cli-spool-counts cli-spool-read cli-exported cli-shows cli-man-written
    cli-settings-valid cli-no-settings-file cli-nothing-to-explain cli-no-reply
    cli-nothing-in-file cli-expected cli-no-command cli-no-command-help cli-other-topic
    cli-other-topic-help cli-quota-messages cli-segments cli-records cli-forgotten cli-pages
    cli-no-code cli-no-enhanced-code cli-no-topic cli-no-spool cli-no-spool-help
    cli-spool-held cli-spool-held-help cli-unreachable cli-unreachable-help cli-unresolved
    cli-unresolved-help cli-unknown-message cli-unknown-message-help
    cli-listens cli-mail-lands cli-try cli-standard-input cli-compressed cli-compressed-help
    cli-broken-off cli-unfolds-too-far cli-only-first cli-only-first-of-one
    cli-only-first-of-some cli-parts-beyond cli-lines
    cli-ended-refused cli-ended-broken cli-session-over cli-broken-connection-lost
    cli-broken-timed-out cli-broken-not-smtp cli-broken-out-of-turn cli-broken-not-offered
    cli-broken-too-big cli-broken-abandoned cli-reply-none cli-reply-codes-differ
    cli-reply-too-long cli-reply-incomplete
    wrong-subcommand wrong-subcommand-missing wrong-argument wrong-argument-missing
    wrong-argument-twice wrong-argument-not-text wrong-conflict wrong-value wrong-value-why
    wrong-value-missing wrong-value-too-many wrong-expected-one wrong-expected-time
    wrong-usage wrong-usage-more
    cli-following
    cli-is-empty cli-is-blank cli-not-text cli-given-text cli-no-file cli-folder-too-deep
    cli-no-delivery cli-did-you-mean cli-mail-broken-off cli-part-too-long cli-part-base64
    cli-part-charset cli-part-not-text cli-json-damaged cli-not-read-behind
    cli-only-first-things cli-odd-octet
    label-near codes-disagree
    kind-complaint.meaning kind-complaint.fix kind-auth-report.meaning kind-auth-report.fix
    kind-auto-reply.meaning kind-auto-reply.fix kind-not-a-bounce.meaning
    kind-not-a-bounce.fix enhanced-7-9.when enhanced-7-9.fix
    setting-unreadable setting-not-utf8 setting-no-equals setting-no-equals-help
    setting-not-toml setting-syntax-unquoted-string setting-syntax-open-string
    setting-syntax-no-such-escape setting-syntax-open-bracket
    setting-syntax-has-value-already setting-syntax-no-value setting-syntax-no-key
    setting-syntax-no-number setting-syntax-no-date setting-syntax-missing-comma setting-syntax-extra-comma
    setting-syntax-forbidden-character setting-syntax-too-deep setting-syntax-unexpected
    setting-unknown-key setting-missing-part setting-not-valid setting-not-valid-list
    setting-not-valid-table setting-no-domain setting-steps setting-expected
    setting-expects-one-of setting-expects-count setting-expects-duration
    setting-expects-patience setting-expects-ladder setting-expects-size setting-expects-host-name
    setting-expects-domains setting-expects-domain-pattern setting-expects-addresses
    setting-expects-networks setting-expects-path setting-expects-web-address
    setting-expects-routes setting-expects-patterns setting-expects-rate
    setting-expects-access-rules setting-expects-hellos setting-group-keys setting-near-key
    setting-near-group setting-see-example setting-quotes system-not-found
    system-permission-denied system-already-exists system-not-a-directory
    system-is-a-directory system-directory-not-empty system-read-only system-no-space
    system-quota-exceeded system-file-too-large system-name-too-long system-link-loop
    system-busy system-too-many-files system-input-output system-unexpected-end
    system-out-of-memory system-address-in-use system-address-not-available
    system-connection-refused system-connection-reset system-connection-aborted
    system-broken-pipe system-host-unreachable system-network-unreachable
    system-network-down system-timed-out system-name-unknown system-name-without-address
    system-name-not-resolved-now system-damaged-archive
    wrong-not-read wrong-not-written wrong-data-dir-is-none wrong-data-dir-not-made
    wrong-data-dir-not-used wrong-data-dir-another wrong-data-dir-owner
    wrong-data-dir-foreign wrong-data-dir-foreign-help wrong-daemon-of-not-asked
    wrong-daemon-not-asked wrong-daemon-answered-oddly wrong-daemon-stopped
    wrong-daemon-closed wrong-another-daemon wrong-another-daemon-help
    wrong-ended-by-itself wrong-ended-by-itself-help wrong-cannot-listen
    wrong-cannot-listen-setting wrong-cannot-listen-option wrong-spool-not-opened
    wrong-spool-not-read wrong-stories-not-read wrong-pages-not-written wrong-not-dropped
    wrong-not-dropped-help wrong-lock-not-taken wrong-not-run wrong-too-big
    wrong-too-big-help wrong-part-reactor wrong-part-log-thread wrong-part-spool-thread
    wrong-part-signals wrong-part-resolver wrong-part-dispatcher wrong-part-listener
    wrong-part-queue wrong-part-table wrong-mailbox-is-there
    wrong-no-such-mailbox wrong-no-such-mailbox-help wrong-no-folder-name
    wrong-registry-damaged wrong-registry-damaged-help wrong-no-address
    wrong-no-address-help wrong-address-brackets wrong-address-null wrong-address-no-domain
    wrong-address-local-part wrong-address-domain wrong-address-literal wrong-address-route
    wrong-address-local-part-too-long wrong-address-domain-too-long wrong-address-not-utf8
    wrong-no-queue-id wrong-no-queue-id-help wrong-route-without-server wrong-name-a-server
    wrong-name-a-server-or-check wrong-dns-not-asked wrong-host-not-found wrong-host-null-mx
    wrong-host-ourselves wrong-host-no-address wrong-name-does-not-exist
    wrong-name-not-resolved wrong-name-servers-silent wrong-no-host wrong-no-address-of-host
    wrong-no-message wrong-message-nul wrong-message-mbox wrong-message-no-header
    wrong-message-no-field wrong-message-empty wrong-message-expects-text
    wrong-message-expects-no-mbox wrong-message-expects-field wrong-line-of-message
    wrong-no-test-message wrong-test-message-waits wrong-no-recipients
    queue-from queue-to queue-held queue-said queue-means queue-move queue-next queue-note
    queue-then queue-head queue-octets queue-origin-local queue-origin-notification
    queue-origin-over queue-status-delivered queue-status-failed queue-now queue-unplanned
    queue-at queue-because queue-why-hint queue-why-learned-window queue-why-next-transaction
    queue-why-host-left-alone queue-why-steps queue-why-permanent queue-why-expired
    queue-by-administrator queue-advice queue-empty queue-count queue-no-daemon queue-dropped
    queue-done-retry queue-done-hold queue-done-release queue-done-bounce queue-done-remove
    story-received story-came-by story-attempt story-attempt-host story-stage story-delivered
    story-delivered-host story-told-failure story-told-delay story-told-success story-untold
    story-held story-released story-hastened story-bounced story-removed story-ended story-later
    story-then story-given-up story-next-over story-next-held story-next-attempt story-next-start
    story-next-settled story-next-for";

/// A remedy for some stands beside one for all; it may be there or not.
fn is_remedy_for_some(key: &str) -> bool {
    CONCERNED.iter().any(|whom| key.ends_with(&format!(".fix-{}", whom.name())))
}

#[test]
fn a_complete_language_has_every_text_and_no_other() {
    let asked_for = keys_asked_for();
    for language in Language::COMPLETE {
        let texts = raw_texts(*language);
        for key in &asked_for {
            assert!(has(*language, key), "{language}: `{key}` is missing or cannot be read");
        }
        for key in texts.keys().filter(|key| !is_remedy_for_some(key)) {
            assert!(asked_for.contains(key), "{language}: `{key}` is not used");
        }
        for key in texts.keys().filter(|key| is_remedy_for_some(key)) {
            let for_all = key.split(".fix-").next().unwrap_or_default();
            assert!(asked_for.contains(&format!("{for_all}.fix")), "{language}: `{key}`");
        }
    }
}

#[test]
fn every_language_says_the_same_with_the_same_placeholders() {
    let placeholders = |text: &str| -> BTreeSet<String> {
        let inner = text.split('$').skip(1);
        let name = |part: &str| {
            part.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().map(str::to_owned)
        };
        // `form` bends a word: a language may do without it.
        inner.filter_map(name).filter(|name| name != "form").collect()
    };
    let english = raw_texts(Language::En);
    for language in Language::COMPLETE {
        let texts = raw_texts(*language);
        let lacks = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
            a.keys().filter(|key| !b.contains_key(*key)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(lacks(&english, &texts), [""; 0], "{language} lacks these");
        assert_eq!(lacks(&texts, &english), [""; 0], "{language} alone has these");
        for (key, text) in &texts {
            assert_eq!(placeholders(text), placeholders(&english[key]), "{language}: {key}");
        }
    }
}

#[test]
fn no_text_is_left_in_another_language() {
    let english = raw_texts(Language::En);
    for language in Language::COMPLETE.iter().filter(|language| **language != Language::En) {
        let texts = raw_texts(*language);
        for (key, text) in &english {
            let words =
                text.split_whitespace().filter(|word| word.starts_with(char::is_alphabetic));
            assert!(words.count() < 5 || texts[key] != *text, "{language}: {key} is in English");
        }
    }
}

/// They are short, and a reader looks at them when something is wrong.
#[test]
fn no_diagnostic_is_left_in_english() {
    let english = raw_texts(Language::En);
    let is_diagnostic =
        |key: &str| ["setting-", "system-", "wrong-"].iter().any(|kind| key.starts_with(kind));
    for language in Language::COMPLETE.iter().filter(|language| **language != Language::En) {
        let texts = raw_texts(*language);
        for (key, text) in english.iter().filter(|(key, _)| is_diagnostic(key)) {
            let has_words =
                text.split_whitespace().any(|word| word.starts_with(char::is_alphabetic));
            assert!(!has_words || texts[key] != *text, "{language}: {key} is in English");
        }
    }
}

#[test]
fn the_catalogue_and_its_readers_are_told_the_same_in_english() {
    for row in catalogue::ROWS {
        let comment: Vec<&str> = row.when.split_whitespace().collect();
        assert_eq!(when_sent(row, Language::En), comment.join(" "), "{}", row.id);
    }
}

#[test]
fn the_facts_of_the_two_best_known_codes_are_told() {
    let check = |code: &str, language, facts: &[&str]| {
        let entry = entry(code.parse().unwrap(), language);
        let mut told = vec![entry.name, entry.meaning, entry.when_seen];
        told.extend(entry.how_to_fix.into_iter().map(|remedy| remedy.text));
        let told = told.join(" ");
        for fact in facts {
            assert!(told.contains(fact), "{code} {language}: {fact}");
        }
    };
    check(
        "450",
        Language::En,
        &[
            "Mailbox unavailable",
            "transient negative",
            "action was not taken",
            "mailbox exists",
            "locked by another process",
            "busy",
            "greylisted",
            "temporary policy",
            "few minutes",
            "second attempt typically succeeds",
            "full or disabled",
        ],
    );
    check(
        "450",
        Language::De,
        &[
            "Postfach nicht verfügbar",
            "nicht ausgeführt",
            "existiert",
            "von einem anderen Prozess gesperrt",
            "Greylisting",
            "vorübergehende Richtlinie",
            "einigen Minuten",
            "der zweite Versuch",
            "voll oder deaktiviert",
        ],
    );
    check(
        "450",
        Language::Es,
        &[
            "Buzón no disponible",
            "respuesta negativa temporal",
            "no se ejecutó",
            "El buzón existe",
            "bloqueado por otro proceso",
            "ocupado",
            "lista gris",
            "política temporal",
            "unos minutos",
            "segundo intento suele tener éxito",
            "lleno o desactivado",
        ],
    );
    check(
        "502",
        Language::En,
        &[
            "Command not implemented",
            "knows the command",
            "chosen not to offer",
            "optional",
            "VRFY, EXPN and TURN",
            "administrator",
            "security",
            "spam",
            "permanent negative",
            "alternative",
            "test message",
            "EHLO response",
        ],
    );
    check(
        "502",
        Language::De,
        &[
            "Befehl nicht implementiert",
            "kennt den Befehl",
            "nicht anzubieten",
            "optionale",
            "VRFY, EXPN und TURN",
            "Administrator",
            "Sicherheit",
            "Spam",
            "Alternative",
            "Testnachricht",
            "EHLO",
        ],
    );
    check(
        "502",
        Language::Es,
        &[
            "Comando no implementado",
            "conoce el comando",
            "ha decidido no ofrecerlo",
            "opcionales",
            "VRFY, EXPN y TURN",
            "administrador",
            "seguridad",
            "spam",
            "respuesta negativa permanente",
            "alternativa",
            "mensaje de prueba",
            "respuesta a EHLO",
        ],
    );
    check(
        "450",
        Language::Fr,
        &[
            "Boîte aux lettres indisponible",
            "négative temporaire",
            "n’a pas été effectuée",
            "existe",
            "verrouillée par un autre processus",
            "occupée",
            "liste grise",
            "politique temporaire",
            "quelques minutes",
            "la deuxième tentative réussit en général",
            "pleine ou désactivée",
        ],
    );
    check(
        "502",
        Language::Fr,
        &[
            "Commande non implémentée",
            "connaît la commande",
            "choisi de ne pas la proposer",
            "facultatives",
            "VRFY, EXPN et TURN",
            "administrateur",
            "sécurité",
            "spam",
            "négative permanente",
            "solution de rechange",
            "message de test",
            "réponse à EHLO",
        ],
    );
    check(
        "450",
        Language::Pt,
        &[
            "Caixa de correio indisponível",
            "resposta negativa temporária",
            "não foi executada",
            "A caixa de correio existe",
            "bloqueada por outro processo",
            "ocupada",
            "greylisting (lista cinza)",
            "política temporária",
            "alguns minutos",
            "a segunda tentativa normalmente dá certo",
            "cheia ou desativada",
        ],
    );
    check(
        "502",
        Language::Pt,
        &[
            "Comando não implementado",
            "conhece o comando",
            "optou por não oferecê-lo",
            "opcionais",
            "VRFY, EXPN e TURN",
            "administrador",
            "segurança",
            "spam",
            "resposta negativa permanente",
            "alternativa",
            "mensagem de teste",
            "resposta ao EHLO",
        ],
    );
    check(
        "450",
        Language::Ja,
        &[
            "メールボックス利用不可",
            "一時的な否定応答",
            "メール処理は実行されませんでした",
            "メールボックスは存在します",
            "別のプロセスによるロック",
            "使用中",
            "グレイリスティング",
            "一時的なポリシー",
            "数分後に再試行",
            "通常は2回目の試行で成功します",
            "満杯または無効",
        ],
    );
    check(
        "502",
        Language::Ja,
        &[
            "コマンド未実装",
            "仕様上のコマンドとしては知っています",
            "提供しないことを選んで",
            "任意のコマンド",
            "VRFY、EXPN、TURN",
            "管理者",
            "セキュリティ",
            "スパム対策",
            "恒久的な否定応答",
            "代替手段",
            "テストメッセージ",
            "EHLOの応答",
        ],
    );
}

fn greylisted() -> Verdict {
    let reply = Reply::parse(b"450 4.2.0 Greylisted, try again in 300 seconds\r\n").unwrap();
    Verdict {
        cause: Cause::Greylisted,
        whose_move: WhoseMove::SenderSoftware,
        retry_after: Some(Duration::from_secs(300)),
        evidence: Evidence { rule: "greylisted".into(), text: "Greylisted".into() },
        confidence: Confidence::High,
        ..classify(&reply, &Context::default())
    }
}

#[test]
fn a_greylisted_reply_is_explained_with_its_time() {
    let english = greylisted().explain(Language::En);
    assert_eq!(english.title, "450 4.2.0 · transient · Greylisting");
    assert_eq!(english.name, "Mailbox unavailable");
    assert!(english.whose_move.starts_with("Nobody"));
    assert_eq!(english.when_next, "The next attempt makes sense in 5 minutes, not before.");
    assert_eq!(english.evidence, "“Greylisted”");
    assert_eq!(english.source, "RFC 5321 §4.2.3, RFC 6647 §2");
    let german = greylisted().explain(Language::De);
    assert_eq!(german.title, "450 4.2.0 · vorübergehend · Greylisting");
    assert_eq!(german.when_next, "Der nächste Versuch lohnt sich in 5 Minuten, nicht früher.");
    assert_eq!(german.evidence, "„Greylisted“");
    let spanish = greylisted().explain(Language::Es);
    assert_eq!(spanish.title, "450 4.2.0 · temporal · Lista gris (greylisting)");
    assert_eq!(
        spanish.when_next,
        "El próximo intento tiene sentido dentro de 5 minutos, no antes."
    );
    assert_eq!(spanish.evidence, "«Greylisted»");
    let french = greylisted().explain(Language::Fr);
    assert_eq!(french.title, "450 4.2.0 · temporaire · Liste grise");
    assert_eq!(french.when_next, "Une nouvelle tentative sera utile dans 5 minutes, pas avant.");
    assert_eq!(french.evidence, "«\u{a0}Greylisted\u{a0}»");
    let portuguese = greylisted().explain(Language::Pt);
    assert_eq!(portuguese.title, "450 4.2.0 · temporário · Greylisting (lista cinza)");
    assert_eq!(
        portuguese.when_next,
        "A próxima tentativa faz sentido daqui a 5 minutos, não antes."
    );
    assert_eq!(portuguese.evidence, "“Greylisted”");
    let japanese = greylisted().explain(Language::Ja);
    assert_eq!(japanese.title, "450 4.2.0 · 一時的 · グレイリスティング");
    assert_eq!(
        japanese.when_next,
        "次の試行は5分後以降が有効です。それより早くても受け付けられません。"
    );
    assert_eq!(japanese.evidence, "「Greylisted」");
}

#[test]
fn other_causes_are_named_with_what_would_decide_for_them() {
    let verdict =
        Verdict { alternatives: vec![Cause::MailboxFull, Cause::MailboxBusy], ..greylisted() };
    let english = verdict.explain(Language::En).deciding;
    let expected = [
        "Mailbox full: With neglected mailboxes and with big attachments.",
        "Mailbox busy: When much mail arrives for one mailbox at once.",
    ];
    assert_eq!(english, expected);
    let french = verdict.explain(Language::Fr).deciding;
    assert!(french.iter().all(|cause| cause.contains("\u{a0}: ")), "{french:?}");
}

/// The characters that JIS X 4051 keeps from the beginning of a line, and from its end.
#[test]
fn japanese_lines_keep_to_the_rules_and_to_their_width() {
    let not_first =
        "、。，．：；？！）」』】〕々ー゛゜ヽヾァィゥェォッャュョヮぁぃぅぇぉっゃゅょゎ";
    let not_last = "（「『【〔";
    let texts = raw_texts(Language::Ja);
    for (key, text) in texts.iter().filter(|(key, _)| key.contains('.')) {
        for width in [38, 66] {
            let lines = wrapped(text, width);
            assert_eq!(lines.concat().replace(' ', ""), text.replace([' ', '\n'], ""), "{key}");
            for line in &lines {
                assert!(!line.starts_with(|c| not_first.contains(c)), "{key}: {line}");
                assert!(!line.ends_with(|c| not_last.contains(c)), "{key}: {line}");
                let is_one_word = !line.contains(|c: char| !c.is_ascii_graphic());
                assert!(line.width() <= width || is_one_word, "{key}: {line}");
            }
        }
    }
}

#[test]
fn sentences_and_names_in_a_row_have_no_spaces_in_japanese() {
    let (attempts, refusals, destinations) = (3, 3, Vec::new());
    let to_do = crate::heard::log::ToDo {
        cause: Cause::RateLimited,
        worth: 1,
        attempts,
        refusals,
        destinations,
    };
    let told = log::remedy(Language::Ja, &to_do);
    assert!(told.contains("。") && !told.contains(' '), "{told}");
    let named = [("a.example".to_owned(), 3), ("b.example".to_owned(), 1)];
    assert_eq!(log::mostly(Language::Ja, &named), "主にa.example (3)、b.example (1)");
    assert_eq!(log::mostly(Language::En, &named), "mostly a.example (3), b.example (1)");
    assert_eq!(log::mostly(Language::Ja, &[]), "");
}

#[test]
fn a_time_of_day_and_a_permanent_refusal_have_their_own_words() {
    let at = Timestamp::from_secs(1_795_478_400);
    let verdict = Verdict { retry_after: None, retry_at: Some(at), ..greylisted() };
    assert!(verdict.explain(Language::En).when_next.contains("2026-11-24 00:00 UTC"));
    let verdict = Verdict { permanence: Permanence::Permanent, ..greylisted() };
    let told = verdict.explain(Language::En);
    assert!(told.whose_move.starts_with("The sender:"), "{}", told.whose_move);
    assert!(told.when_next.starts_with("Not by itself"), "{}", told.when_next);
    assert!(
        told.when_next.ends_with("Send it anew in 5 minutes, not before."),
        "{}",
        told.when_next
    );
    assert!(!told.what_to_do.contains("Wait"), "{}", told.what_to_do);
}

#[test]
fn what_passes_by_itself_is_not_waited_for_where_it_is_refused_for_good() {
    for code in ["5.4.1", "5.7.15", "5.4.3", "5.2.0"] {
        let found = entry(code.parse().unwrap(), Language::En);
        let fix = &found.how_to_fix[0].text;
        assert!(!fix.contains("Wait"), "{code}: {fix}");
    }
    for code in ["4.2.0", "4.3.2", "4.4.1"] {
        let found = entry(code.parse().unwrap(), Language::En);
        assert_eq!(found.facts.whose_move, WhoseMove::SenderSoftware, "{code}");
    }
}

#[test]
fn a_positive_reply_means_what_its_code_says_and_no_message_is_accepted_before_its_data() {
    let meaning = |line: &[u8]| {
        let reply = Reply::parse(line).unwrap();
        classify(&reply, &Context::default()).explain(Language::En).meaning
    };
    assert!(meaning(b"354 go ahead\r\n").starts_with("The server waits for the message"));
    assert!(meaning(b"220 mx.example.net ESMTP\r\n").starts_with("The server greets"));
    assert!(meaning(b"252 cannot verify\r\n").starts_with("The server does not say"));
    assert!(meaning(b"250 2.1.0 sender ok\r\n").starts_with("The server did what was asked"));
    assert!(meaning(b"250 2.0.0 queued as 4Xy\r\n").starts_with("The server accepted the message"));
}

#[test]
fn every_cause_is_explained_under_every_permanence_without_a_bare_key() {
    for cause in Cause::ALL {
        for permanence in [Permanence::Positive, Permanence::Transient, Permanence::Permanent] {
            for language in Language::COMPLETE {
                let evidence = Evidence { rule: "test".into(), text: String::new() };
                let verdict = crate::verdict_of(*cause, permanence, evidence);
                let told = verdict.explain(*language);
                let all = [
                    told.title,
                    told.name,
                    told.meaning,
                    told.when_seen,
                    told.whose_move,
                    told.what_to_do,
                    told.when_next,
                    told.evidence,
                    told.source,
                ]
                .join("\n");
                let bare = ["cause-", "move-", "when-", "{", "  ", " ·\n"];
                assert!(bare.iter().all(|bad| !all.contains(bad)), "{all}");
            }
        }
    }
}

#[test]
fn languages_are_read_from_tags_and_locales() {
    for (text, language) in [
        ("de", Language::De),
        ("de_DE.UTF-8", Language::De),
        ("de-AT", Language::De),
        ("DE@euro", Language::De),
        ("es-MX", Language::Es),
        ("pt_BR.UTF-8", Language::Pt),
        ("pt_PT", Language::Pt),
        ("ja_JP.UTF-8", Language::Ja),
        ("ja-JP", Language::Ja),
        ("en_US", Language::En),
        ("C.UTF-8", Language::En),
        ("POSIX", Language::En),
    ] {
        assert_eq!(text.parse(), Ok(language), "{text}");
    }
    assert_eq!("tlh".parse::<Language>(), Err(NoSuchLanguage("tlh".into())));
    assert!("".parse::<Language>().is_err());
}

#[test]
fn what_asks_for_more_names_the_move_and_says_what_its_entry_says() {
    for reply in ["354 go ahead", "334 VXNlcm5hbWU6"] {
        let reply = Reply::parse(reply.as_bytes()).unwrap();
        let verdict = classify(&reply, &Context::default());
        assert_eq!(
            (verdict.whose_move, verdict.confidence),
            (WhoseMove::SenderSoftware, Confidence::High)
        );
        let told = verdict.explain(Language::En);
        assert_eq!(told.whose_move, "The sending software: it goes on with what is asked for.");
        let entry = entry(Topic::Code(reply.code()), Language::En);
        assert_eq!(told.what_to_do, entry.how_to_fix[0].text);
        assert_eq!(entry.facts.whose_move, verdict.whose_move);
    }
}

#[test]
fn a_kind_without_a_cause_says_what_it_means_and_what_to_do_in_every_language() {
    use crate::Kind;
    for kind in [Kind::Complaint, Kind::AuthReport, Kind::AutoReply, Kind::NotABounce] {
        for language in Language::COMPLETE {
            let told = explain_kind(kind, *language).unwrap();
            for words in [&told.title, &told.meaning, &told.whose_move, &told.what_to_do] {
                assert!(!words.is_empty() && !words.starts_with("kind-"), "{language}: {words}");
            }
        }
    }
    assert_eq!(explain_kind(Kind::Bounce, Language::En), None);
}

#[test]
fn what_is_quoted_does_not_turn_round_what_stands_behind_it() {
    assert_eq!(quoted("\u{202e}greylisted\u{2066}", Language::De), "„greylisted“");
    assert_eq!(quoted("قائمة رمادية", Language::En), "“قائمة رمادية”");
}
